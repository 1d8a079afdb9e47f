"""What do the tests of starting and stopping need?"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.postgres import Cluster
from deploy.refusal import Refusal


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory of a test's own; whatever still runs in it afterwards is stopped."""
    # Not pytest's tmp_path: run by root, the server is another user and could not walk there.
    parent = Path(tempfile.mkdtemp(prefix="palimpsest-start-"))
    parent.chmod(0o711)
    folder = parent / "data"
    yield folder
    if folder.exists() and os.access(folder, os.W_OK):
        with suppress(Refusal):  # a test may have made it unusable
            Cluster(folder, testing=True).stop()
    shutil.rmtree(parent)


@pytest.fixture
def own_cluster(data_dir: Path) -> Cluster:
    """A cluster that a test may stop, kill and spoil."""
    return Cluster(data_dir, testing=True)
