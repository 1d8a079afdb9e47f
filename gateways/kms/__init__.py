"""Who keeps the root key: it wraps each practice's key and never leaves its keeper."""

from typing import Protocol


class WrongRootKey(Exception):
    """What was wrapped under another root key, or for another purpose, does not open."""


class KmsUnavailable(Exception):
    """The keeper of the root key does not answer; asking again later may help."""


class Kms(Protocol):
    """Wraps keys of 32 bytes. `about` binds a wrapped key to its place: it must match to unwrap."""

    @property
    def key_id(self) -> str:
        """Names the root key without telling it."""
        ...

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """Returns the key, encrypted. Raises `KmsUnavailable`."""
        ...

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Returns the key. Raises `WrongRootKey`, `KmsUnavailable`."""
        ...

    def derive(self, purpose: str) -> bytes:
        """Returns 32 bytes that only the keeper of the root key can compute, for one purpose."""
        ...
