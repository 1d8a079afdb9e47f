"""How is one of PostgreSQL's programs started, and is it still at work?"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from deploy.postgres_home import Home


def run_program(home: Home, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [home.programs / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **_manner(home))


def start_program(
    home: Home, name: str, arguments: Sequence[str | Path], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program that stays."""
    command = [home.programs / name, *arguments]
    return subprocess.Popen(command, stdout=log, stderr=log, **_manner(home))


def works_in(pid: int, folder: Path) -> bool:
    """Is this process alive, and its working directory this folder (as each of a server's is)?

    A bare number is not enough: after a crash it may belong to a stranger.
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):  # gone, or another user's and so not our server
        return False
    if not Path("/proc/self/cwd").exists():
        return True
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:  # ended meanwhile, or a zombie, which works nowhere
        return False


def _manner(home: Home) -> dict[str, Any]:
    """Away from our terminal (Ctrl-C), working directory and PG… variables; never as root."""
    manner: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        "stdin": subprocess.DEVNULL,
        "start_new_session": True,
        "umask": 0o077,
    }
    if home.user is not None:
        manner |= {"user": home.user.uid, "group": home.user.gid, "extra_groups": []}
    return manner
