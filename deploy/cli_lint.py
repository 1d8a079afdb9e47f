"""Does anything in the database break the rules of tenancy?"""

import json
from dataclasses import asdict
from typing import Annotated

import psycopg
import typer

from deploy.database import ready_database
from deploy.settings import load_settings
from record.lint import lint


def register(app: typer.Typer) -> None:
    app.command("lint-tenancy")(lint_tenancy)


def lint_tenancy(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """List every table, view, function, key or grant that could mix practices; none is 0."""
    with (
        ready_database(load_settings()) as ready,
        psycopg.connect(ready.admin_url, autocommit=True) as connection,
    ):
        findings = lint(connection)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            typer.echo(f"{finding.code}\t{finding.thing}")
        typer.echo("1 finding" if len(findings) == 1 else f"{len(findings)} findings")
    if findings:
        raise typer.Exit(1)
