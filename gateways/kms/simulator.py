"""A key keeper in memory that can be told to fail: for tests."""

from gateways.kms import WrongRootKey
from gateways.kms.local import LocalKms


class SimulatedKms(LocalKms):
    """Behaves as the real ones do; `is_down` makes it unreachable."""

    def __init__(self, root: bytes = b"simulated root key, 32 bytes ok!") -> None:
        super().__init__(root)
        self.is_down = False

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Returns the key. Raises `WrongRootKey`, and `ConnectionError` while it is down."""
        if self.is_down:
            raise ConnectionError
        return super().unwrap(wrapped, about)


__all__ = ["SimulatedKms", "WrongRootKey"]
