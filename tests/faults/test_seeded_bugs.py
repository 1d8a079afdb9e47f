"""Does the test that is there for it notice each bug, when it is planted?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.bugs import BUGS, ROOT, Bug

pytestmark = pytest.mark.serial

MADE = (".*", "__pycache__", "node_modules", "build", "dist")
FAILED = 1
"""Pytest's exit code when it ran the tests, and some failed; whatever else happens is another."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything, pages included."""
    copy = tmp_path_factory.mktemp("seeded") / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*MADE))
    return copy


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_is_noticed(tree: Path, bug: Bug) -> None:
    before = {edit.file: (tree / edit.file).read_text() for edit in bug.edits}
    for edit in bug.edits:
        edit.apply(tree)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_TEST_")
    }
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", bug.test],
            cwd=tree,
            env=environment | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for file, text in before.items():
            (tree / file).write_text(text)
    assert ended.returncode == FAILED, ended.stdout[-3000:]
    assert " failed" in ended.stdout.splitlines()[-1]
