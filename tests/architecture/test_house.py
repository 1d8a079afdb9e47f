"""Does every floor keep the rules of the house that no linter knows?

What a review said twice stands here once. `test_domain.py` holds the domain's stricter ones.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = {"__pycache__", "node_modules", "static", "build", "dist"}  # by tools, not by us
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FLOORS = PROJECT["tool"]["importlinter"]["root_packages"]

# Longer than the limit, each with its reason.
LONG_FILES = {
    "api/writing.py": "one short function per act, the same list for JSON and pages",
    "tests/domain/test_note.py": "one life cycle, told in order",
    "tests/web/examples.py": "a catalogue of rows to look up, not to read through",
}
GATE_TEST = (
    "tests/record/test_gate.py:test_the_header_stands_in_the_row_and_the_leaf_hash_covers_all_of_it"
)
LONG_FUNCTIONS = {
    "deploy/demo/notes_skin.py:facial": "the text of a note, to be read as one",
    "deploy/demo/notes_visits.py:weight": "the text of a note, to be read as one",
    GATE_TEST: "one table of what the hash covers",
    "projections/chart_view/document.py:_after": "one case per kind of event",
}

CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
# `SELECT 1` only asks whether the database is there.
SQL = re.compile(r"\s*(SELECT\s(?!1$)|INSERT INTO\s|UPDATE \S+ SET\s|DELETE FROM\s|CREATE \w+\s)")

BARE_EXEMPTION = re.compile(
    r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore\S*)\s*$"
)

# In pieces, or this file would be found.
OUR_MACHINES = re.compile(r"/(?:work|root|home/\w+)/|/Users/\w+/")
REGISTRIES = re.compile(
    "|".join([r"registry\.npm" + "js", "py" + r"pi\.org", "python" + "hosted", "npm" + "mirror"])
)


def ours() -> Iterator[Path]:
    """Every file that is written by us: no dot folder but .ci, nothing that a tool makes."""
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = [part for part in parts[:-1] if part.startswith(".") and part != ".ci"]
        if path.is_file() and not hidden and not MADE.intersection(parts[:-1]):
            yield path


FILES = sorted(ours())
SOURCES = [path for path in FILES if path.suffix == ".py"]
TREES = {path: ast.parse(path.read_text()) for path in SOURCES}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def floor(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_every_folder_with_code_is_a_floor_of_the_house() -> None:
    assert {floor(path) for path in SOURCES} == {*FLOORS, "tests"}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) == set(FLOORS)


def test_files_and_functions_can_be_read_in_one_go() -> None:
    files = {
        name(path)
        for path in SOURCES
        if len(text(path).splitlines()) > (400 if floor(path) == "tests" else 300)
    }
    assert files - LONG_FILES.keys() == set()
    long = {
        f"{name(path)}:{function.name}"
        for path in SOURCES
        for function in functions(TREES[path])
        if (function.end_lineno or 0) - function.lineno >= 50
    }
    assert long - LONG_FUNCTIONS.keys() == set()


def test_the_exceptions_are_still_needed() -> None:
    assert {*LONG_FILES} <= {name(path) for path in SOURCES}
    known = {f"{name(p)}:{f.name}" for p in SOURCES for f in functions(TREES[p])}
    assert {*LONG_FUNCTIONS} <= known


def test_the_clock_is_read_at_the_edge_only() -> None:
    """Elsewhere the time is an argument, or a replay would tell another story than the record."""
    readers = {
        name(path)
        for path in SOURCES
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call)
        if ".".join(ast.unparse(node.func).split(".")[-2:]) in CLOCKS
    }
    assert "domain/kernel/clock.py" in readers  # or we would be looking for the wrong thing
    allowed = ("deploy/", "tests/", "domain/kernel/clock.py")
    assert {reader for reader in readers if not reader.startswith(allowed)} == set()


def test_routes_and_pages_hold_no_sql() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES
        if name(path).startswith(("api/v1/", "api/web/"))
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Constant)
        if isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert found == []


def test_an_exemption_from_a_check_gives_its_reason() -> None:
    """Beside it or in a comment just above."""
    bare = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in SOURCES
        for number, (above, line) in enumerate(pairwise(["", *text(path).splitlines()]), start=1)
        if BARE_EXEMPTION.search(line) and not above.lstrip().startswith("# ")
    ]
    assert bare == []


def test_nothing_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name(path)}: {match.group()}"
        for path in FILES
        for pattern in (OUR_MACHINES, REGISTRIES)
        for match in pattern.finditer(text(path))
    ]
    assert found == []


def locked(file: str) -> dict[str, str]:
    """Package and version, of each entry."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text(ROOT / file), flags=re.MULTILINE))


def test_the_locks_agree_are_checked_by_hash_and_carry_no_address() -> None:
    runtime, development = locked("requirements.lock"), locked("requirements-dev.lock")
    assert runtime.items() <= development.items()
    for file in ("requirements.lock", "requirements-dev.lock"):
        content = text(ROOT / file)
        assert "://" not in content
        entries = re.findall(r"^[\w.-]+==.*\n(.*)", content, flags=re.MULTILINE)
        assert len(entries) > 20
        assert all(line.startswith("    --hash=sha256:") for line in entries)
    wanted = {re.split(r"[\[<>=]", need)[0] for need in PROJECT["project"]["dependencies"]}
    assert wanted <= runtime.keys()


def test_the_packages_of_the_pages_carry_no_address() -> None:
    lock = text(ROOT / "api" / "web" / "package-lock.json")
    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') > 10
