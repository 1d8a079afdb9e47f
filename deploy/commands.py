"""What does the command `palimpsest` offer?

Each module `deploy/cli_*.py` adds its commands with a function `register(app)`.
"""

import pkgutil
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

import deploy
from deploy.refusal import one_line

app = typer.Typer(
    name="palimpsest",
    help="A medical-spa record in which nothing is ever overwritten.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print local variables, and a record may be in them
    add_completion=False,
)


def run() -> None:
    """Run one command. What stands in its way is told in one line, without a traceback."""
    try:
        app()
    except Exception as error:
        message = one_line(error)
        if message is None:
            raise
        typer.echo(f"palimpsest: {message}", err=True)
        sys.exit(1)


@app.callback()
def options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=lambda asked: _show_version(asked=asked))
    ] = False,
) -> None:
    """Keep the record, show it, prove it."""


def _show_version(*, asked: bool) -> None:
    if asked:
        typer.echo(version("palimpsest"))
        raise typer.Exit


def _register_all() -> None:
    for module in pkgutil.iter_modules(deploy.__path__):
        if module.name.startswith("cli_"):
            import_module(f"deploy.{module.name}").register(app)


_register_all()
