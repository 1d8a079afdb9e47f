"""The root key in a local file, for one machine that is its own keeper."""

import base64
import binascii
import hashlib
import hmac
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateways.kms import WrongRootKey

KEY_BYTES = 32
NONCE_BYTES = 12


class KeyFileError(Exception):
    """The key file is missing, unreadable, open to others, or not a key. The text says which."""


class LocalKms:
    """AES-256-GCM under a root key held in memory."""

    def __init__(self, root: bytes) -> None:
        if len(root) != KEY_BYTES:
            message = f"a root key has {KEY_BYTES} bytes"
            raise ValueError(message)
        self._root = root
        self._aead = AESGCM(self.derive("wrap practice keys"))

    @property
    def key_id(self) -> str:
        """Names the root key: the first bytes of a keyed hash of a constant."""
        return self.derive("name of the root key")[:8].hex()

    def derive(self, purpose: str) -> bytes:
        """Returns 32 bytes for one purpose."""
        return hmac.digest(self._root, purpose.encode(), hashlib.sha256)

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """Returns nonce and ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, key, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Returns the key. Raises `WrongRootKey`."""
        try:
            return self._aead.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise WrongRootKey from error


def create_key_file(path: Path) -> LocalKms:
    """Makes a new root key, readable by its owner only. Raises `FileExistsError`, `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    root = os.urandom(KEY_BYTES)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(root) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return LocalKms(root)


def read_key_file(path: Path) -> LocalKms:
    """Reads the root key. Raises `KeyFileError`."""
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as error:
        message = f"the key file {path} cannot be read: {error.strerror}"
        raise KeyFileError(message) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"the key file {path} is open to others; make it yours alone: chmod 600 {path}"
        raise KeyFileError(message)
    try:
        return LocalKms(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError) as error:
        message = f"the key file {path} does not hold a root key"
        raise KeyFileError(message) from error
