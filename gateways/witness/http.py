"""A witness on the network that speaks the C2SP witness protocol (c2sp.org/tlog-witness)."""

from base64 import b64encode
from typing import Final
from urllib.parse import urlsplit

import httpx2

from gateways.witness import Refused, Stale, Submission, WitnessUnavailable

TIMEOUT_SECONDS: Final = 10.0
REASONS: Final = {400: "shrunk", 403: "not_signed", 404: "unknown_log", 422: "forked"}
"""What each refusal of the protocol says about a well-formed request."""


class HttpWitness:
    """Posts to `<address>/add-checkpoint`. What it cosigns is its own affair; it keeps the head."""

    def __init__(self, address: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url = address.rstrip("/") + "/add-checkpoint"
        parts = urlsplit(address)
        self._name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._client = httpx2.Client(timeout=timeout)

    @property
    def name(self) -> str:
        """The address, without what may stand in it to sign in."""
        return self._name

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()

    def add(self, submission: Submission) -> None:
        """Hands the head over. Raises `Stale`, `Refused`, `WitnessUnavailable`."""
        steps = "".join(f"{b64encode(step).decode()}\n" for step in submission.proof)
        body = f"old {submission.old}\n{steps}\n{submission.note}"
        try:
            answer = self._client.post(self._url, content=body.encode())
        except httpx2.HTTPError as error:
            raise WitnessUnavailable(self._name) from error
        status = answer.status_code
        if status == httpx2.codes.OK:
            return
        if status == httpx2.codes.CONFLICT:
            size = _size(answer)
            # It holds a head of the very size that was named, so it holds another one.
            raise Refused("forked") if size == submission.old else Stale(size)
        if status in REASONS:
            raise Refused(REASONS[status])
        raise WitnessUnavailable(f"{self._name} answered {status}")


def _size(answer: httpx2.Response) -> int:
    text = answer.text.strip()
    if not text.isascii() or not text.isdigit():
        raise WitnessUnavailable("a conflict without the size that is held")
    return int(text)
