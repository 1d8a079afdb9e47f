"""A key keeper in memory that can be told to fail: for tests."""

from gateways.kms import KmsUnavailable
from gateways.kms.local import LocalKms


class SimulatedKms(LocalKms):
    """Behaves as the real ones do; `is_down` makes it unreachable."""

    def __init__(self, root: bytes = b"simulated root key, 32 bytes ok!") -> None:
        super().__init__(root)
        self.is_down = False

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """Returns nonce and ciphertext. Raises `KmsUnavailable` while it is down."""
        if self.is_down:
            raise KmsUnavailable
        return super().wrap(key, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Returns the key. Raises `WrongRootKey`, and `KmsUnavailable` while it is down."""
        if self.is_down:
            raise KmsUnavailable
        return super().unwrap(wrapped, about)
