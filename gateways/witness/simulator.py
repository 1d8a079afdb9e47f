"""A witness in memory that can be told to fail: for tests."""

from threading import Lock

from gateways.witness import Rule, Submission, WitnessUnavailable


class SimulatedWitness:
    """Behaves as the real ones do; `is_down` makes it unreachable."""

    def __init__(self, rule: Rule, name: str = "simulated") -> None:
        self.name = name
        self.is_down = False
        self._rule = rule
        self._lock = Lock()
        self._heads: dict[str, list[str]] = {}

    def add(self, submission: Submission) -> None:
        """Keeps the head. Raises `Stale`, `Refused`, `WitnessUnavailable`."""
        self._answer()
        with self._lock:
            heads = self._heads.setdefault(submission.origin, [])
            held = heads[-1] if heads else None
            self._rule(submission, held)
            if submission.note != held:
                heads.append(submission.note)

    def count(self, origin: str) -> int:
        """How many heads of a log it keeps. Raises `WitnessUnavailable`."""
        self._answer()
        return len(self._heads.get(origin, ()))

    def read(self, origin: str, number: int) -> str:
        """One of them. Raises `WitnessUnavailable`, `IndexError`."""
        self._answer()
        if number < 0:
            raise IndexError(number)
        return self._heads.get(origin, [])[number]

    def _answer(self) -> None:
        if self.is_down:
            raise WitnessUnavailable(self.name)
