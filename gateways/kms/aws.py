"""The root key in AWS KMS: it never leaves there; every use of it is a call, on record with AWS.

The extra `aws` brings the client library. Credentials come from where that library looks for them:
the environment, a profile, the machine's role.
"""

from typing import Any, Final
from urllib.parse import parse_qs

from gateways.kms import KmsUnavailable, WrongRootKey

SCHEME: Final = "aws:?"
NEEDED: Final = ("key", "mac")
OPTIONAL: Final = ("region", "endpoint")
CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 5
TRIES: Final = 2
"""So that nobody waits longer than these allow before hearing that KMS is away."""

_DOES_NOT_OPEN: Final = frozenset(
    {
        "InvalidCiphertextException",
        "IncorrectKeyException",
        "InvalidKeyUsageException",
        "NotFoundException",
        # What KMS says of a ciphertext of a key that is gone or not ours, too.
        "AccessDeniedException",
        # Of the library itself, asked to open nothing at all.
        "ParamValidationError",
    }
)


def read_address(address: str) -> dict[str, str]:
    """Reads `aws:?key=alias/palimpsest&mac=alias/palimpsest-mac&region=…&endpoint=…`.

    Raises `ValueError`.
    """
    if not address.startswith(SCHEME):
        raise ValueError(f"{SCHEME}key=…&mac=… names keys of AWS KMS")
    given = parse_qs(address.removeprefix(SCHEME), strict_parsing=True)
    parts = {name: values[0] for name, values in given.items()}
    missing = [name for name in NEEDED if not parts.get(name)]
    unknown = [name for name in parts if name not in NEEDED + OPTIONAL]
    if missing or unknown or any(len(values) > 1 for values in given.values()):
        wanted = "; ".join((f"give {' and '.join(NEEDED)}", f"also {' and '.join(OPTIONAL)}"))
        raise ValueError(f"{wanted}, each once, and nothing else")
    return parts


class AwsKms:
    """Encrypt and Decrypt under one symmetric key; GenerateMac under one key for HMAC-SHA-256."""

    def __init__(self, address: str) -> None:
        """Finds the keys; see `read_address`. Which key an alias means is looked up once, here.

        Raises `ValueError`, `KmsUnavailable`.
        """
        parts = read_address(address)
        try:
            import boto3  # noqa: PLC0415 - only who keeps a root key at AWS has the library
            from botocore import config, exceptions  # noqa: PLC0415 - likewise
        except ImportError:
            raise ValueError("AWS KMS needs the extra: pip install 'palimpsest[aws]'") from None
        self._errors = exceptions
        bounded = config.Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
        )
        place = {"region_name": parts.get("region"), "endpoint_url": parts.get("endpoint")}
        try:
            self._client = boto3.client("kms", config=bounded, **place)
        except (exceptions.BotoCoreError, ValueError) as error:
            raise ValueError(f"{type(error).__name__}: give region or endpoint") from None
        self._mac = parts["mac"]
        self._key_id = str(self._call("describe_key", KeyId=parts["key"])["KeyMetadata"]["Arn"])

    @property
    def key_id(self) -> str:
        """The key's Amazon Resource Name."""
        return self._key_id

    def derive(self, purpose: str) -> bytes:
        """Returns 32 bytes for one purpose. Raises `KmsUnavailable`."""
        answer = self._call(
            "generate_mac",
            KeyId=self._mac,
            Message=purpose.encode(),
            MacAlgorithm="HMAC_SHA_256",
        )
        return bytes(answer["Mac"])

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """Returns the key as KMS encrypts it. Raises `KmsUnavailable`."""
        answer = self._call(
            "encrypt", KeyId=self._key_id, Plaintext=key, EncryptionContext=_context(about)
        )
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Returns the key. Raises `WrongRootKey`, `KmsUnavailable`."""
        answer = self._call(
            "decrypt", KeyId=self._key_id, CiphertextBlob=wrapped, EncryptionContext=_context(about)
        )
        return bytes(answer["Plaintext"])

    def _call(self, name: str, **values: object) -> dict[str, Any]:
        """One request. What AWS says of it goes no further than its code."""
        try:
            answer: dict[str, Any] = getattr(self._client, name)(**values)
        except (self._errors.BotoCoreError, self._errors.ClientError) as error:
            response = getattr(error, "response", {})
            code = str(response.get("Error", {}).get("Code", type(error).__name__))
            if name == "decrypt" and code in _DOES_NOT_OPEN:
                raise WrongRootKey from None
            raise KmsUnavailable(f"AWS KMS cannot {name}: {code}") from None
        return answer


def _context(about: bytes) -> dict[str, str]:
    """Bound to the ciphertext by KMS, and shown in AWS's own log of calls: ids only, no content."""
    return {"palimpsest": f"0x{about.hex()}"}
