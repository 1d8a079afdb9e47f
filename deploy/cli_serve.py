"""How is Palimpsest started from the command line?"""

import typer

from deploy.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve() -> None:
    """Run everything in one process: database, workers, API and pages, until Ctrl-C."""
    # Late, as other commands need no web server.
    from deploy import serve as serving  # noqa: PLC0415

    serving.serve(load_settings())
