"""How is Palimpsest started from the command line, whole or in roles?"""

import typer

from deploy.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(api)
    app.command()(worker)


def serve() -> None:
    """Run everything in one process: database, workers, API and pages, until Ctrl-C."""
    # Late, as other commands need no web server.
    from deploy import serve as serving  # noqa: PLC0415

    serving.serve(load_settings())


def api() -> None:
    """Run API and pages only; any number of these, beside workers."""
    from deploy import serve as serving  # noqa: PLC0415 - the same

    serving.serve(load_settings(), "api")


def worker() -> None:
    """Run what happens in the background: projections and seals; any number of these."""
    from deploy import background  # noqa: PLC0415 - the same

    background.work(load_settings(), "worker")
