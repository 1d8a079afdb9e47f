"""Where does the command `palimpsest` begin? Here, so that Ctrl-C is heard while it still loads."""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run one command. Asked to stop, end quietly, after stopping what was started."""
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, _unwind)
    # Late: loading the commands takes most of a second.
    from deploy.commands import run  # noqa: PLC0415

    run()


def _unwind(number: int, _frame: FrameType | None) -> None:
    # The defaults would print a traceback, or end us at once and leave a server of ours running.
    sys.exit(128 + number)
