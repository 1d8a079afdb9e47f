"""Does every keeper of the root key wrap keys that only it can unwrap, in their place only?"""

from collections.abc import Callable, Iterator

import pytest

from gateways.kms import Kms, KmsUnavailable, WrongRootKey
from gateways.kms import aws as aws_module
from gateways.kms.aws import AwsKms, read_address
from gateways.kms.local import LocalKms
from gateways.kms.simulator import SimulatedKms
from tests.support.aws import Aws, credentials, running_aws

ROOTS = (bytes(range(32)), b"another root key, 32 bytes long.")
Maker = Callable[[bytes], Kms]


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as server:
        yield server


@pytest.fixture(params=["local", "simulator", "aws"])
def make(request: pytest.FixtureRequest) -> Maker:
    """Makes a keeper of some root key; a new adapter is added to the list above."""
    if request.param == "aws":
        aws: Aws = request.getfixturevalue("aws")
        return aws.keeper
    return LocalKms if request.param == "local" else SimulatedKms


@pytest.fixture
def kms(make: Maker) -> Kms:
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


def test_another_root_key_does_not_unwrap(kms: Kms, make: Maker) -> None:
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


def test_aws_binds_the_place_into_the_ciphertext_and_names_the_key_itself(aws: Aws) -> None:
    kms = aws.keeper(ROOTS[0])
    assert kms.key_id.startswith("arn:aws:kms:us-east-1:")
    wrapped = kms.wrap(bytes(32), b"place")
    opened = aws.client.decrypt(
        CiphertextBlob=wrapped, EncryptionContext={"palimpsest": "0x" + b"place".hex()}
    )
    assert opened["Plaintext"] == bytes(32)


def test_an_alias_that_is_moved_to_another_key_opens_nothing_with_it(aws: Aws) -> None:
    """And seals nothing under it either while a process runs: the key is looked up once."""
    old, new = bytes([7]) * 32, bytes([8]) * 32
    before = aws.keeper(old)
    wrapped = before.wrap(bytes(32), b"place")
    other = aws.keeper(new)
    alias = read_address(aws.address(old))["key"]
    aws.client.update_alias(AliasName=alias, TargetKeyId=other.key_id.rpartition("/")[2])
    moved = aws.keeper(old)
    assert moved.key_id == other.key_id
    with pytest.raises(WrongRootKey):
        moved.unwrap(wrapped, b"place")
    assert before.unwrap(before.wrap(bytes(32), b"place"), b"place") == bytes(32)
    assert before.unwrap(wrapped, b"place") == bytes(32)


def test_a_key_of_aws_that_may_not_be_used_is_told_by_its_code(aws: Aws) -> None:
    parts = read_address(aws.address(ROOTS[0]))
    with pytest.raises(KmsUnavailable, match="cannot describe_key: NotFoundException"):
        AwsKms(f"aws:?key=alias/none&mac={parts['mac']}&endpoint={aws.endpoint}")
    swapped = AwsKms(f"aws:?key={parts['key']}&mac={parts['key']}&endpoint={aws.endpoint}")
    with pytest.raises(KmsUnavailable, match="cannot generate_mac: "):
        swapped.derive("purpose")


def test_aws_that_does_not_answer_is_away_and_nobody_waits_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (aws_module.CONNECT_SECONDS + aws_module.READ_SECONDS) * aws_module.TRIES <= 15
    with (
        credentials(monkeypatch),
        pytest.raises(KmsUnavailable, match="cannot describe_key: EndpointConnectionError"),
    ):
        AwsKms("aws:?key=alias/a&mac=alias/b&endpoint=http://127.0.0.1:1")


@pytest.mark.parametrize(
    "address",
    [
        "aws", "aws:", "aws:?", "aws:?key=a", "aws:?mac=b", "aws:?key=&mac=b", "azure:?key=a&mac=b",
        "aws:?key=a&key=b&mac=c", "aws:?key=a&mac=b&secret=c",
    ],
)  # fmt: skip
def test_an_address_that_names_no_two_keys_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"key|field"):
        read_address(address)


@pytest.mark.parametrize("place", ["region=", "endpoint=nowhere&region=us-east-1"])
def test_aws_without_a_place_is_refused(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with credentials(monkeypatch):
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(ValueError, match="region"):
            AwsKms(f"aws:?key=a&mac=b&{place}")


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
