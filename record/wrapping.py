"""How is a data key wrapped under its practice's key, so that it opens in its own row only?"""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateways.kms import WrongRootKey

Place = tuple[UUID, UUID, str]
"""Practice, subject and category: at each there is one key in use."""
NONCE_BYTES = 12


def about_key(place: Place, key_id: UUID) -> bytes:
    """What a wrapped key is bound to: its row; elsewhere it does not open."""
    practice_id, owner, category = place
    return practice_id.bytes + owner.bytes + key_id.bytes + category.encode()


def wrap(practice_key: AESGCM, key: bytes, about: bytes) -> bytes:
    """A data key under the practice's."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + practice_key.encrypt(nonce, key, about)


def unwrap(practice_key: AESGCM, wrapped: bytes, about: bytes) -> bytes:
    """The data key. Raises `WrongRootKey`."""
    try:
        return practice_key.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
    except InvalidTag as error:
        raise WrongRootKey from error
