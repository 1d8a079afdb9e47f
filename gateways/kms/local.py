"""The root key in the memory of this process, read from a local file: its own keeper."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateways.kms import WrongRootKey

KEY_BYTES = 32
NONCE_BYTES = 12


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
