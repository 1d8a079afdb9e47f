"""Has the search caught up? One reads what one wrote, at most a moment later."""

from time import monotonic, sleep

from api.asking import Asking
from api.problems import PositionUnknown, ProjectionBehind

WAIT_SECONDS = 2.0
"""How long a read waits for a position it was asked to wait for."""


def wait_for(asking: Asking, after: int | None) -> None:
    """Waits until the search shows a position: the one asked for, else briefly the newest.

    Raises `PositionUnknown`, and `ProjectionBehind` if the one asked for does not come.
    """
    newest = asking.practice.position()
    if after is not None and after > newest:
        raise PositionUnknown
    search = asking.platform.client_search
    practice_id = asking.context.practice_id
    goal = newest if after is None else after
    deadline = monotonic() + (WAIT_SECONDS if after is not None else WAIT_SECONDS / 10)
    while search.position(practice_id) < goal:
        if monotonic() > deadline:
            if after is not None:
                raise ProjectionBehind
            return
        sleep(0.005)
