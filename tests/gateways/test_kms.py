"""Does every keeper of the root key wrap keys that only it can unwrap, in their place only?"""

from collections.abc import Callable

import pytest

from gateways.kms import Kms, KmsUnavailable, WrongRootKey
from gateways.kms.local import LocalKms
from gateways.kms.simulator import SimulatedKms

ROOTS = (bytes(range(32)), b"another root key, 32 bytes long.")
MAKERS: list[Callable[[bytes], Kms]] = [LocalKms, SimulatedKms]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Callable[[bytes], Kms]:
    """Makes a keeper of some root key; a new adapter is added to the list above."""
    maker: Callable[[bytes], Kms] = request.param
    return maker


@pytest.fixture
def kms(make: Callable[[bytes], Kms]) -> Kms:
    return make(ROOTS[0])


def test_what_was_wrapped_unwraps_also_after_a_restart(
    kms: Kms, make: Callable[[bytes], Kms]
) -> None:
    for key in (bytes(32), bytes(range(100, 132))):
        wrapped = kms.wrap(key, b"place")
        assert key not in wrapped
        assert kms.unwrap(wrapped, b"place") == key
        assert make(ROOTS[0]).unwrap(wrapped, b"place") == key


def test_wrapping_twice_gives_two_ciphertexts(kms: Kms) -> None:
    assert kms.wrap(bytes(32), b"place") != kms.wrap(bytes(32), b"place")


def test_another_root_key_does_not_unwrap(kms: Kms, make: Callable[[bytes], Kms]) -> None:
    with pytest.raises(WrongRootKey):
        make(ROOTS[1]).unwrap(kms.wrap(bytes(32), b"place"), b"place")


def test_another_place_does_not_unwrap(kms: Kms) -> None:
    wrapped = kms.wrap(bytes(32), b"place")
    for about in (b"", b"place ", b"elsewhere"):
        with pytest.raises(WrongRootKey):
            kms.unwrap(wrapped, about)


def test_nothing_altered_unwraps(kms: Kms) -> None:
    wrapped = kms.wrap(bytes(32), b"place")
    for index in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[index] ^= 1
        with pytest.raises(WrongRootKey):
            kms.unwrap(bytes(altered), b"place")
    for cut in (b"", wrapped[:12], wrapped[:-1], wrapped + b"\x00"):
        with pytest.raises(WrongRootKey):
            kms.unwrap(cut, b"place")


def test_the_key_id_names_the_root_key_and_tells_nothing_of_it(
    kms: Kms, make: Callable[[bytes], Kms]
) -> None:
    assert kms.key_id == make(ROOTS[0]).key_id != make(ROOTS[1]).key_id
    assert kms.key_id not in ROOTS[0].hex()
    assert ROOTS[0].hex()[:8] not in kms.key_id


def test_derived_secrets_differ_by_purpose_and_by_root_key(
    kms: Kms, make: Callable[[bytes], Kms]
) -> None:
    one = kms.derive("one purpose")
    assert len(one) == 32
    assert one == make(ROOTS[0]).derive("one purpose")
    assert len({one, kms.derive("another"), make(ROOTS[1]).derive("one purpose")}) == 3


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_root_key_has_its_length(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        LocalKms(bytes(length))


def test_a_keeper_that_is_away_says_so() -> None:
    kms = SimulatedKms()
    wrapped = kms.wrap(bytes(32), b"place")
    kms.is_down = True
    with pytest.raises(KmsUnavailable):
        kms.unwrap(wrapped, b"place")
    with pytest.raises(KmsUnavailable):
        kms.wrap(bytes(32), b"place")
    kms.is_down = False
    assert kms.unwrap(wrapped, b"place") == bytes(32)
