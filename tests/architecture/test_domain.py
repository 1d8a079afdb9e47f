"""Does the domain keep the rules that no linter knows: pure, frozen, total, small?"""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import domain
from domain.kernel.errors import DomainError, Invalid
from domain.kernel.events import REGISTRY, Command, Decider, Frozen

ROOT = Path(domain.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
CONTEXTS = sorted(path.parent.name for path in ROOT.glob("*/aggregate.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}
CLOCK = ROOT / "kernel" / "clock.py"

# Of the standard library only what computes: no file, no network, no chance, no other process.
PURE = {
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "itertools",
    "json",
    "re",
    "typing",
    "unicodedata",
    "uuid",
    "zoneinfo",
}
ALLOWED = PURE | {"domain", "pydantic", "pydantic_core"}
IMPURE_CALLS = {"now", "utcnow", "today", "time", "monotonic", "uuid1", "uuid4", "open", "print"}


def imported(tree: ast.Module) -> Iterator[str]:
    """Full names, as written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.Module) -> Iterator[str]:
    """The last part of the name of whatever is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def matched(tree: ast.AST) -> set[str]:
    """The classes that some `case` or `isinstance` names."""
    names = {
        n.cls.id for n in ast.walk(tree) if isinstance(n, ast.MatchClass) and hasattr(n.cls, "id")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            names |= {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
    return names


def named(path: Path) -> str:
    return str(path.relative_to(ROOT.parent))


def below(parent: type) -> set[type]:
    """Every class of the domain that inherits from it."""
    children: set[type] = set(parent.__subclasses__())
    return {c for c in children.union(*map(below, children)) if c.__module__[:7] == "domain."}


@pytest.fixture(scope="module", autouse=True)
def _everything_imported() -> None:
    for path in FILES:
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        importlib.import_module(".".join(part for part in parts if part != "__init__"))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_the_domain_computes_and_does_nothing_else(path: Path) -> None:
    tree = TREES[path]
    assert {name.split(".")[0] for name in imported(tree)} <= ALLOWED
    if path != CLOCK:  # the one place that reads it
        assert IMPURE_CALLS.isdisjoint(called(tree))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_amount_is_a_fraction_of_a_binary_kind(path: Path) -> None:
    names = {node.id for node in ast.walk(TREES[path]) if isinstance(node, ast.Name)}
    constants = {node.value for node in ast.walk(TREES[path]) if isinstance(node, ast.Constant)}
    assert "float" not in names
    assert not any(isinstance(value, float) for value in constants)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_files_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    long = {f.name for f in functions(TREES[path]) if (f.end_lineno or 0) - f.lineno >= 50}
    assert long == set()


def test_importing_any_part_registers_the_events_of_every_context() -> None:
    told = set(imported(TREES[ROOT / "__init__.py"]))
    assert told == {f"domain.{path.parent.name}.events" for path in ROOT.glob("*/events.py")} - {
        "domain.kernel.events"
    }


def test_what_the_domain_knows_never_changes() -> None:
    for model in below(BaseModel):
        assert issubclass(model, Frozen), f"{model} is not Frozen"
        assert model.model_config.get("frozen") is True
        assert model.model_config.get("extra") == "forbid"


@pytest.mark.parametrize("context", CONTEXTS)
def test_evolve_assigns_and_never_refuses(context: str) -> None:
    tree = TREES[ROOT / context / "aggregate.py"]
    (evolve,) = (function for function in functions(tree) if function.name == "evolve")
    forbidden = (ast.Raise, ast.Assert, ast.Try, ast.Await, ast.Global, ast.Nonlocal)
    assert not [node for node in ast.walk(evolve) if isinstance(node, forbidden)]


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_event_is_known_to_evolve(context: str) -> None:
    tree = TREES[ROOT / context / "aggregate.py"]
    (evolve,) = (function for function in functions(tree) if function.name == "evolve")
    events = {e.__name__ for e in REGISTRY.values() if e.__module__ == f"domain.{context}.events"}
    assert events
    assert matched(evolve) == events


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_command_is_known_to_decide(context: str) -> None:
    commands = {c.__name__ for c in below(Command) if c.__module__ == f"domain.{context}.commands"}
    assert commands
    assert commands <= matched(TREES[ROOT / context / "aggregate.py"])


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_aggregate_offers_one_decider_with_a_name_of_its_own(context: str) -> None:
    deciders = [
        (name, value)
        for other in CONTEXTS
        for name, value in vars(sys.modules[f"domain.{other}.aggregate"]).items()
        if isinstance(value, Decider)
    ]
    mine = [v for _, v in deciders if v.decide.__module__ == f"domain.{context}.aggregate"]
    assert len(mine) == 1
    assert [value.name for _, value in deciders].count(mine[0].name) == 1
    assert all(name == value.name.upper() for name, value in deciders)


def test_every_refusal_has_a_code_and_says_what_it_means() -> None:
    refusals = {kind for kind in below(DomainError) if not kind.__subclasses__()}
    assert refusals
    for refusal in refusals:
        assert issubclass(refusal, DomainError)
        assert "code" in vars(refusal), f"{refusal} has no code of its own"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)
        assert refusal.__doc__
    codes = [kind.code for kind in refusals if issubclass(kind, DomainError)]
    assert {code for code in codes if codes.count(code) > 1} <= {"not_found"}


def test_an_impossible_value_names_its_field() -> None:
    fields = {
        name for model in below(Frozen) if issubclass(model, Frozen) for name in model.model_fields
    }
    for kind in below(Invalid):
        assert issubclass(kind, Invalid)
        assert not kind.field or kind.field in fields
