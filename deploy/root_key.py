"""Where does the root key lie, and when may a new one be made?

Every other key is wrapped under it, directly or not: lose it and no record can be read again.
"""

import os
import secrets
from pathlib import Path

from deploy.refusal import Refusal

LENGTH = 32


def read_root_key(path: Path) -> bytes:
    """Read the key, refusing a file that others may read or that is not a key."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(1024)
    except FileNotFoundError:
        raise Refusal(f"the root key {path} is missing") from None
    if mode & 0o077:
        raise Refusal(f"others may read the root key {path}; run: chmod 600 {path}")
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        raise Refusal(f"{path} is not a root key ({LENGTH} bytes as hexadecimal digits)")
    return key


def create_root_key(path: Path) -> bytes:
    """Make a key and put it in place whole, or not at all; never over another one."""
    key = secrets.token_bytes(LENGTH)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half_made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(half_made, path)  # unlike a rename, fails where a key already is
    finally:
        half_made.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
