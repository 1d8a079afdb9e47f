"""Does the verifier stand by itself: one file, Python and `cryptography`, no network?"""

import ast
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from deploy import verify_bundle
from deploy.database import Database
from record.checkpoint import VerifyKey
from tests.support.evidence import Desk, rezip, unzip
from tests.support.record import record_on

SOURCE = Path(verify_bundle.__file__)
BESIDE = ("cryptography", "cffi", "_cffi_backend", "pycparser")
"""What a package manager would install beside it."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with Python, `cryptography` and a copy of the verifier."""
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in BESIDE:
        found = find_spec(name)
        if found is not None and found.origin is not None:
            origin = Path(found.origin)
            if origin.stem == "__init__":
                (packages / name).symlink_to(origin.parent)
            else:
                shutil.copy(origin, packages)
    shutil.copy(SOURCE, folder / "verify_bundle.py")
    return folder


@pytest.fixture(scope="module")
def desk(module_database: Database) -> Iterator[Desk]:
    with record_on(module_database) as record:
        yield Desk.of(record, record.new_practice())


def run(alone: Path, *arguments: object, before: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the copy, by itself: no variable of ours reaches it."""
    command = [alone / "venv" / "bin" / "python", "-I"]
    if before:
        script = f"{before}\nimport runpy\nrunpy.run_path('verify_bundle.py', run_name='__main__')"
        command += ["-c", script]
    else:
        command += ["verify_bundle.py"]
    return subprocess.run(
        [*map(str, command), *map(str, arguments)],
        cwd=alone,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_proves_a_bundle_on_a_machine_that_has_nothing_of_ours(desk: Desk, alone: Path) -> None:
    client = desk.client()
    bundle = alone / "bundle.zip"
    bundle.write_bytes(desk.bundle(client))
    deaf = "import socket, sys\nsocket.socket = None"
    done = run(alone, bundle, "--key", desk.key, before=deaf)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ok    record: complete: the census counts 3 entries of {client}" in done.stdout
    assert "PROVEN. No bundle proves" in done.stdout
    modules = run(alone, bundle, "--key", desk.key, before=(
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted({one.partition('.')[0] for one in sys.modules})))"
    ))  # fmt: skip
    loaded = set(modules.stdout.splitlines()[-1].split())
    foreign = {name for name in loaded - sys.stdlib_module_names if not name.startswith("_")}
    assert foreign == {"cryptography"}


def test_the_key_may_stand_in_a_file(desk: Desk, alone: Path) -> None:
    bundle, keys = alone / "bundle.zip", alone / "keys.txt"
    bundle.write_bytes(desk.bundle(desk.client()))
    other = Desk.of(desk.record, desk.record.new_practice())
    keys.write_text(f"{other.key}\n{desk.key}\n")
    assert run(alone, bundle, "--key", keys).returncode == 0
    keys.write_text(f"{other.key}\n")
    done = run(alone, bundle, "--key", keys)
    assert done.returncode == 1
    assert done.stderr == f"WRONG no key of palimpsest/{desk.practice_id} was given\n"


def test_a_refusal_is_one_line_and_an_exit_code(desk: Desk, alone: Path) -> None:
    bundle = alone / "bundle.zip"
    files = unzip(desk.bundle(desk.client()))
    bundle.write_bytes(rezip({**files, "chart.pdf": b"another chart"}))
    done = run(alone, bundle, "--key", desk.key)
    assert (done.returncode, done.stderr) == (1, "WRONG chart.pdf was altered\n")
    done = run(alone, alone / "verify_bundle.py", "--key", desk.key)
    assert (done.returncode, done.stderr) == (1, "WRONG no bundle (BadZipFile)\n")


def test_a_slip_of_the_keyboard_is_not_called_wrong_evidence(desk: Desk, alone: Path) -> None:
    bundle, keys = alone / "bundle.zip", alone / "keys.txt"
    bundle.write_bytes(desk.bundle(desk.client()))
    name, number, coded = desk.key.split("+", 2)
    other = Desk.of(desk.record, desk.record.new_practice()).key.split("+", 2)[2]
    elsewhere = VerifyKey(name, b64decode(other)[1:])
    keys.write_text(f"{desk.key}\n{elsewhere}\n")
    for arguments, said in (
        ((alone / "nowhere.zip", "--key", desk.key), "No such file"),
        ((alone, "--key", desk.key), "Is a directory"),
        ((bundle, "--key", "nowhere.txt"), "nowhere.txt"),
        ((bundle, "--key", desk.key[:-1]), "this is no public key"),
        ((bundle, "--key", f"{name}+{number}"), "this is no public key"),
        ((bundle, "--key", f"{name}+00000000+{coded}"), "this is no public key"),
        ((bundle, "--key", f"{name}x+{number}+{coded}"), "this is no public key"),
        ((bundle, "--key", f"{name}+{number}+{other}"), "this is no public key"),
        ((bundle, "--key", f"{name}+{number}+Ag{coded[2:]}"), "this is no public key"),
        ((bundle, "--key", keys), f"two different keys of {name.rpartition('/')[0]}"),
    ):
        done = run(alone, *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("cannot look: ")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


def test_anybody_can_read_it() -> None:
    text = SOURCE.read_text()
    assert len(text.splitlines()) <= 200
    imported = {
        str(one.module if isinstance(one, ast.ImportFrom) else alias.name).partition(".")[0]
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
    }
    assert imported - sys.stdlib_module_names == {"cryptography"}
    assert imported.isdisjoint({"socket", "ssl", "urllib", "http", "subprocess", "os", "ctypes"})
