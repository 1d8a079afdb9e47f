"""A witness that is a folder or a bucket: each head is an object, made once and never replaced.

The heads of a log are numbered. Only one writer can make the next number, so of two that build on
the same head one is told that she is late: what is compared and what is kept cannot come apart.
Where the store can forbid deletion (object lock), nobody can take a head back.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from gateways.witness import Rule, Stale, Submission, WitnessUnavailable

FOLDER_OF: Final = 1_000
"""Heads per folder, so that the newest is found without listing them all."""
TIMEOUT: Final = "10s"


class StoreWitness:
    """Keeps heads as objects named `<origin>/<thousand>/<number>`."""

    def __init__(self, name: str, store: ObjectStore, rule: Rule) -> None:
        self._name = name
        self._store = store
        self._rule = rule

    @property
    def name(self) -> str:
        """The address of the folder or bucket."""
        return self._name

    def add(self, submission: Submission) -> None:
        """Keeps the head. Raises `Stale`, `Refused`, `WitnessUnavailable`."""
        origin = submission.origin
        number = self.count(origin)
        held = self._newest(origin, number)
        self._rule(submission, held)
        if submission.note == held:
            return
        try:
            obstore.put(self._store, _path(origin, number), submission.note.encode(), mode="create")
        except AlreadyExistsError:
            raise Stale(_size(self.read(origin, number))) from None
        except (BaseError, OSError) as error:
            raise WitnessUnavailable(self._name) from error

    def count(self, origin: str) -> int:
        """How many heads of a log are kept. Raises `WitnessUnavailable`."""
        try:
            folders = obstore.list_with_delimiter(self._store, origin)["common_prefixes"]
            if not folders:
                return 0
            newest = max(folders)
            heads = obstore.list_with_delimiter(self._store, newest)["objects"]
        except (BaseError, OSError) as error:
            raise WitnessUnavailable(self._name) from error
        # A process that was killed may have made the folder, and no head in it yet.
        full = int(newest.rpartition("/")[2]) * FOLDER_OF
        return max((1 + int(head["path"].rpartition("/")[2]) for head in heads), default=full)

    def read(self, origin: str, number: int) -> str:
        """One of the heads. Raises `WitnessUnavailable`, `IndexError`."""
        try:
            return bytes(obstore.get(self._store, _path(origin, number)).bytes()).decode()
        except FileNotFoundError:
            raise IndexError(number) from None
        except (BaseError, OSError, UnicodeDecodeError) as error:
            raise WitnessUnavailable(self._name) from error

    def _newest(self, origin: str, count: int) -> str | None:
        # A power cut may leave an empty file in a folder: no head, and never one.
        notes = (self.read(origin, number) for number in range(count - 1, -1, -1))
        return next((note for note in notes if note), None)


def folder_witness(folder: Path, rule: Rule) -> StoreWitness:
    """A witness in a folder, made if need be: on another machine's disk, not beside the data."""
    return StoreWitness(str(folder), LocalStore(folder, mkdir=True), rule)


def bucket_witness(address: str, rule: Rule) -> StoreWitness:
    """A witness in an object store, `s3://bucket/prefix?endpoint=…`; signs in as AWS tools do."""
    parts = urlsplit(address)
    endpoint = parse_qs(parts.query).get("endpoint", [None])[0]
    store = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config={"endpoint": endpoint} if endpoint else {},
        client_options={
            "timeout": TIMEOUT,
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
        },
    )
    return StoreWitness(f"s3://{parts.netloc}{parts.path}", store, rule)


def _path(origin: str, number: int) -> str:
    return f"{origin}/{number // FOLDER_OF:09d}/{number:012d}"


def _size(note: str) -> int:
    found = re.match(r"[^\n]*\n(\d{1,19})\n", note)
    return int(found[1]) if found else 0
