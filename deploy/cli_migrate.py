"""How is a database brought to this release's shape from the command line?"""

import typer

from deploy.database import find_kms
from deploy.migrate import migrate as bring_up_to_date
from deploy.postgres_running import running
from deploy.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate() -> None:
    """Apply the migrations that the database lacks; never undo one."""
    settings = load_settings()
    with running(settings) as admin_url:
        kms = find_kms(settings, admin_url)
        applied = bring_up_to_date(admin_url, kms, testing=settings.testing)
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do")
