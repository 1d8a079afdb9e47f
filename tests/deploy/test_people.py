"""Are practices and people made from the command line, and only such as can be used?"""

from collections.abc import Callable
from contextlib import nullcontext

import psycopg
import pytest
from typer.testing import CliRunner

from deploy.commands import app
from deploy.database import Database
from deploy.refusal import one_line

Told = Callable[..., str]


@pytest.fixture
def told(module_database: Database, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs a command; what it printed or, in one line, why it refused."""
    monkeypatch.setattr("deploy.cli_people.ready_database", lambda _: nullcontext(module_database))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments)
        if result.exception is None:
            return result.stdout.strip()
        assert isinstance(result.exception, Exception), result.output  # an exit is the parser's
        line = one_line(result.exception)
        assert line is not None, result.exception
        assert "\n" not in line
        return line

    return run


@pytest.mark.parametrize(
    ("slug", "name", "zone", "field"),
    [
        ("Bad Slug!", "A spa", "UTC", "slug"),
        ("spa", "", "UTC", "name"),
        ("spa", "A spa", "Mars/X", "zone"),
        ("spa", "A spa", "/etc/passwd", "zone"),
    ],
)
def test_a_practice_that_cannot_be_used_is_refused_by_field(
    told: Told, slug: str, name: str, zone: str, field: str
) -> None:
    assert told("practice", "create", slug, name, "--zone", zone).startswith(f"{field}: ")
    assert told("practice", "list") == ""


def test_a_made_up_practice_takes_the_same_slugs(told: Told) -> None:
    assert told("demo", "--clients", "1", "--slug", "Bad Slug!").startswith("slug: ")


def test_only_somebody_who_can_sign_in_is_added(told: Told, module_database: Database) -> None:
    practice = ("--practice", "people")
    told("practice", "create", "people", "People")
    add = ("user", "create")
    assert told(*add, "notmail", "Ann", "owner", *practice).startswith("email: ")
    assert told(*add, "a@b.example", "", "owner", *practice).startswith("name: ")
    assert told(*add, "a@b.example", "Ann", "king", *practice).startswith("there is no role king")
    for short in ("", "1234567"):
        refused = told(*add, "a@b.example", "Ann", "owner", *practice, "--password", short)
        assert refused == "password: at least 8 characters"
    with psycopg.connect(module_database.admin_url) as admin:
        assert admin.execute("SELECT FROM identity.member").fetchall() == []
    made = told(*add, " A@b.example", "Ann", "owner", *practice).split()
    assert (made[0], len(made[1])) == ("A@b.example", 16)
    chosen = told(*add, "b@b.example", "Bo", "front-desk", *practice, "--password", "12345678")
    assert chosen == "b@b.example  12345678"
    with psycopg.connect(module_database.admin_url) as admin:
        rows = admin.execute("SELECT email, role FROM identity.member ORDER BY email").fetchall()
    assert rows == [("a@b.example", "owner"), ("b@b.example", "front_desk")]
