"""Is the root key made once, kept from others, and recognised when it is not one?"""

from pathlib import Path

import pytest

from deploy.refusal import Refusal
from deploy.root_key import create_root_key, read_root_key


def test_a_made_key_is_read_back_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "root.key"
    key = create_root_key(file)
    assert len(key) == 32
    assert read_root_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in file.parent.iterdir()] == ["root.key"]


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    key = create_root_key(file)
    with pytest.raises(FileExistsError):
        create_root_key(file)
    assert read_root_key(file) == key
    assert [found.name for found in tmp_path.iterdir()] == ["root.key"]


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"root\.key is missing"):
        read_root_key(tmp_path / "root.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "root.key"
    create_root_key(file)
    file.chmod(mode)
    with pytest.raises(Refusal, match="chmod 600"):
        read_root_key(file)


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 64])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "root.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(Refusal, match="is not a root key"):
        read_root_key(file)
