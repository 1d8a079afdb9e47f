"""What does a signed tree head look like? A C2SP checkpoint in a signed note, by Ed25519.

    palimpsest/<practice id>/<log>            the origin, also the name of the key
    20852163                                  the size of the log
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA…      the root of its Merkle tree, base64

    — palimpsest/<practice id>/<log> <base64 of the key's id, 4 bytes, and the signature>

Formats: c2sp.org/tlog-checkpoint and c2sp.org/signed-note; any tool that reads them reads ours.
The key follows from the root key, so the database never holds it.
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from gateways.kms import Kms
from record.merkle import HASH_BYTES

ED25519: Final = b"\x01"
"""The type of a signature, in a key's id and its printed form."""
ID_BYTES: Final = 4
MAX_NOTE: Final = 4096
"""Characters; ours have some 250, and room is left for the signatures of witnesses."""


class BadNote(Exception):
    """Not a checkpoint signed by the key that was asked about. Says why."""


def origin_of(practice_id: UUID, log: str) -> str:
    """The name of a log, the same for ever."""
    return f"palimpsest/{practice_id}/{log}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long a log was, and the root over its leaves."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """The public half: what anybody needs in order to check a log."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Tells the keys of one name apart."""
        known = self.name.encode() + b"\n" + ED25519 + self.public
        return hashlib.sha256(known).digest()[:ID_BYTES]

    def __str__(self) -> str:
        """The printed form: name, id and key, joined by plus signs."""
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifyKey":
        """Reads the printed form. Raises `BadNote`."""
        name, _, rest = text.strip().partition("+")
        printed_id, _, encoded = rest.partition("+")
        key = _decode(encoded)
        parsed = cls(name, key[1:])
        if not name or key[:1] != ED25519 or len(key) != HASH_BYTES + 1:
            raise BadNote("not a public key of a log")
        if parsed.id.hex() != printed_id:
            raise BadNote("the public key does not match its own id: it was not copied whole")
        return parsed

    def open(self, note: str) -> Checkpoint:
        """The checkpoint that a note holds, if this key signed it. Raises `BadNote`."""
        text, gap, signatures = note.rpartition("\n\n")
        if len(note) > MAX_NOTE or not gap or not signatures.endswith("\n"):
            raise BadNote("not a signed note")
        text += "\n"
        if not any(self._signed(text, line) for line in signatures[:-1].split("\n")):
            raise BadNote(f"not signed by {self.name}+{self.id.hex()}")
        return _parse(text, self.name)

    def _signed(self, text: str, line: str) -> bool:
        """Whether the line is our signature of the text; those of others are passed over."""
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if mark != "—" or name != self.name:
            return False
        signature = _decode(encoded)
        if signature[:ID_BYTES] != self.id:
            return False
        try:
            _public(self.public).verify(signature[ID_BYTES:], text.encode())
        except (InvalidSignature, ValueError) as error:
            raise BadNote("the signature does not match the text") from error
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs the heads of one log."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, kms: Kms, practice_id: UUID, log: str) -> "SigningKey":
        """The key of a log; only the keeper of the root key can make it."""
        seed = kms.derive(f"seal the logs of practice {practice_id}")
        return cls(origin_of(practice_id, log), Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verify_key(self) -> VerifyKey:
        """Its public half."""
        return VerifyKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """The note for a head of this log."""
        return self.sign_text(Checkpoint(self.name, size, root).text)

    def sign_text(self, text: str) -> str:
        """The note of a text, whose first line is the name of the key."""
        signature = self.verify_key.id + self.private.sign(text.encode())
        return f"{text}\n— {self.name} {b64encode(signature).decode()}\n"


@lru_cache(maxsize=1024)
def _public(encoded: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(encoded)


def _parse(text: str, origin: str) -> Checkpoint:
    lines = text.split("\n")
    size = lines[1] if len(lines) > 1 else ""
    if len(lines) != 4 or lines[0] != origin or not size.isdigit():  # noqa: PLR2004 - with the end
        raise BadNote("the text is not a checkpoint of this log")
    checkpoint = Checkpoint(origin, int(size), _decode(lines[2]))
    # One head has one text: leading zeros and loose base64 are another one.
    if checkpoint.text != text or len(checkpoint.root) != HASH_BYTES:
        raise BadNote("the text is not a checkpoint of this log")
    return checkpoint


def _decode(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise BadNote("not base64") from error
