"""Are the bugs that `make faults` plants still where they would be, and their tests still there?"""

from ast import FunctionDef, parse, walk

import pytest

from tests.faults.bugs import BUGS, ROOT, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_bug_has_its_places_and_its_test(bug: Bug) -> None:
    for edit in bug.edits:
        assert (ROOT / edit.file).read_text().count(edit.old) == 1, edit.old
        assert edit.old != edit.new
    file, _, name = bug.test.partition("::")
    tree = parse((ROOT / file).read_text())
    names = {node.name for node in walk(tree) if isinstance(node, FunctionDef)}
    assert not name or name in names
