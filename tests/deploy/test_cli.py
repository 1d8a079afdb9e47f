"""Is whatever stands in the way of a command told in one line, and Ctrl-C always quiet?"""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.refusal import one_line

ROOT = Path(__file__).parents[2]

# Somebody presses Ctrl-C at the very moment when a module is about to be loaded.
INTERRUPTED = """
import os, signal, sys
class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[-1]:
            os.kill(os.getpid(), getattr(signal, sys.argv[-2]))
sys.meta_path.insert(0, Impatient())
from deploy.cli import main
main()
"""


@pytest.mark.parametrize("module", ["deploy.commands", "typer", "psycopg", "deploy.cli_serve"])
@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM])
def test_being_stopped_while_loading_is_quiet(module: str, wanted: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, wanted.name, module],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + wanted, "", "")


def told(**settings: Path) -> str:
    """The one line on standard error that a refused command leaves."""
    ended = subprocess.run(
        [sys.executable, "-c", "from deploy.cli import main; main()", "practice", "list"],
        env=os.environ | {f"PALIMPSEST_{name}": str(path) for name, path in settings.items()},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def test_a_folder_instead_of_the_root_key_is_told(used_data_dir: Path, tmp_path: Path) -> None:
    refused = told(DATA_DIR=used_data_dir, KEY_FILE=tmp_path, TESTING=Path("true"))
    assert refused == f"palimpsest: {tmp_path}: this is a folder; it should be a file\n"


def test_a_file_instead_of_the_data_directory_is_told(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("a letter")
    assert told(DATA_DIR=file).startswith(f"palimpsest: {file}")
    assert file.read_text() == "a letter"


def test_a_failure_of_the_system_names_the_path_and_the_reason() -> None:
    assert one_line(OSError(errno.EIO, "?", "/srv/data")) == "/srv/data: the disk does not answer"
    assert one_line(OSError(errno.EPROTO, "?", "/srv/data")) is None
    assert one_line(ValueError("a mistake of ours")) is None
