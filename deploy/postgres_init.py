"""How is a new cluster made: whole, or not at all?"""

import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from deploy.postgres_home import Home
from deploy.postgres_process import run_program
from deploy.refusal import Refusal


def initialise(home: Home, password_file: Path, admin: str, *, sync: bool) -> None:
    """Make the cluster if there is none; `initdb` works beside its place and is then moved in."""
    half_made = home.folder / "data.new"
    if half_made.exists():  # left by a crash
        shutil.rmtree(half_made)
    if home.data.exists():
        return
    password = _ensure_password(password_file)
    # The server's user cannot read ours.
    handed_over = home.folder / "password"
    try:
        _write(handed_over, password)
        home.give(handed_over)
        done = run_program(
            home,
            "initdb",
            "--pgdata",
            half_made,
            "--username",
            admin,
            "--pwfile",
            handed_over,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",  # the same order of text on every machine
            "--data-checksums",
            "--no-instructions",
            *([] if sync else ["--no-sync"]),
        )
        if done.returncode != 0:
            raise Refusal(f"the database cannot be made in {home.folder}: {_reason(done.stderr)}")
        half_made.rename(home.data)
    finally:
        handed_over.unlink(missing_ok=True)
        shutil.rmtree(half_made, ignore_errors=True)
        if not home.data.exists():
            with suppress(OSError):
                home.folder.rmdir()
            password_file.unlink(missing_ok=True)


def _ensure_password(file: Path) -> str:
    if file.exists():
        return file.read_text().strip()
    password = secrets.token_urlsafe(32)
    _write(file, password)
    return password


def _write(file: Path, password: str) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{password}\n")
        opened.flush()
        os.fsync(opened.fileno())


def _reason(stderr: str) -> str:
    """The line that names the cause, without what stands before it; later ones tell of tidying."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    full = [line for line in lines if "No space left" in line]
    marked = [line for line in lines if "FATAL:" in line or "error:" in line]
    reason = (full or marked or lines or ["initdb gave no reason"])[0]
    return re.split(r"FATAL:|error:", reason)[-1].strip()
