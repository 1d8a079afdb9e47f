"""How is the embedded PostgreSQL started, found again after a crash, shared and stopped?

It listens on a unix socket only, asks for a password all the same, and runs in a session of its
own: the terminal's Ctrl-C reaches us, never it. Programs join: the first to come starts the server,
the last to leave stops it, and one that was left behind by `kill -9` is adopted.
"""

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.postgres_home import Home, settle
from deploy.postgres_init import initialise
from deploy.postgres_process import start_program, works_in
from deploy.refusal import Refusal

ADMIN: Final = "palimpsest_admin"
DATABASE: Final = "palimpsest"
MAJOR: Final = "18"
PORT: Final = 5432  # only names the socket file
LONGEST_SOCKET_PATH: Final = 103  # 107 bytes on Linux, 103 on macOS
START_SECONDS: Final = 300  # recovery after a crash may have much to read
STOP_SECONDS: Final = 60
LEFTOVER_SECONDS: Final = 30
LEFTOVERS: Final = ("pre-existing shared memory block", "lock file")
LARGEST_LOG: Final = 10_000_000

# On the command line, where no ALTER SYSTEM can undo them.
DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FOR_TESTS: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "autovacuum_naptime": "10min",
}
COMMON: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A record's text must never reach the server's log: no statement, no parameter, no DETAIL.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True)
class _Status:
    """What the server says of itself in its pid file."""

    pid: int
    socket_folder: str
    word: str  # starting, ready, stopping


class Cluster:
    """The PostgreSQL of one data directory."""

    def __init__(self, data_dir: Path, *, testing: bool = False) -> None:
        self._data_dir = data_dir
        self._testing = testing
        self._found: Home | None = None
        self._log_start = 0  # where the last start's lines begin

    @property
    def home(self) -> Home:
        if self._found is None:
            self._found = settle(self._data_dir)
        return self._found

    def url(self, database: str = DATABASE) -> str:
        """Name a database of the running server, as its administrator."""
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError:
            raise Refusal(f"the database's password file {self._password_file} is gone") from None
        host = quote(str(self._running_socket_folder()), safe="")
        return f"postgresql://{ADMIN}:{password}@/{database}?host={host}&port={PORT}"

    def is_running(self) -> bool:
        status = self._status()
        return status is not None and status.word == "ready"

    def start(self) -> None:
        """Start, or adopt a server that runs already; return once it accepts connections."""
        initialise(self.home, self._password_file, ADMIN, sync=not self._testing)
        made_by = (self.home.data / "PG_VERSION").read_text().strip()
        if made_by != MAJOR:
            raise Refusal(f"{self.home.data} was made by PostgreSQL {made_by}, not {MAJOR}")
        deadline = time.monotonic() + START_SECONDS
        # Ask it, too: a server killed a moment ago still looks alive.
        while not (self.is_running() and self._answers()):
            if self._status() is None:  # else it is starting, stopping or dying: watch
                self._forget_stale_pid()
                self._await_ready(self._launch(), deadline)
            elif time.monotonic() > deadline:
                raise Refusal(f"PostgreSQL in {self.home.data} neither starts nor stops")
            else:
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop quickly and cleanly; what is running is rolled back, what is committed is kept."""
        status = self._status()
        if status is None:
            return
        # Fast shutdown first; a server that hangs is stopped as in a crash, which loses nothing.
        for wanted in (signal.SIGINT, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                os.kill(status.pid, wanted)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if self._status() is None:
                    self._tidy_up(status.pid)
                    return
                time.sleep(0.01)
        raise Refusal(f"PostgreSQL (process {status.pid}) in {self.home.data} does not stop")

    def _tidy_up(self, pid: int) -> None:
        if self._socket_folder() != self.home.folder:
            with suppress(OSError):
                self._socket_folder().rmdir()
        with suppress(ChildProcessError):  # not our child, or it would stay as a zombie
            os.waitpid(pid, 0)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Use the server together with other processes: first in starts it, last out stops it."""
        _ = self.home
        with (self._data_dir / "postgres.users").open("a") as users:
            with self._gate():
                fcntl.flock(users, fcntl.LOCK_SH)
                self.start()
            try:
                yield
            finally:
                with self._gate():
                    fcntl.flock(users, fcntl.LOCK_UN)
                    with suppress(BlockingIOError):  # others still use it
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        self.stop()

    def revive(self) -> bool:
        """Start the server again if it has died, for one who has joined; say if it had."""
        with self._gate():
            if self._status() is not None:
                return False
            self.start()
            return True

    def ensure_database(self, name: str = DATABASE) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if found.fetchone() is None:
                connection.execute(
                    psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name))
                )

    def _answers(self) -> bool:
        where = make_conninfo(host=str(self._running_socket_folder()), port=PORT)
        return psycopg.pq.PGconn.ping(where.encode()) == psycopg.pq.Ping.OK

    @property
    def _password_file(self) -> Path:
        return self._data_dir / "postgres.password"

    @contextmanager
    def _gate(self) -> Iterator[None]:
        """One process at a time may start or stop the server; the lock dies with the process."""
        with (self._data_dir / "postgres.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _status(self) -> _Status | None:
        """Read the pid file; None unless the process it names lives and serves this folder."""
        try:
            lines = (self.home.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        with suppress(ChildProcessError):  # one we started ourselves stays a zombie otherwise
            os.waitpid(pid, os.WNOHANG)
        if not works_in(pid, self.home.data):
            return None
        full = len(lines) >= 8  # noqa: PLR2004  # the eighth line is the status
        return _Status(pid, lines[4] if full else "", lines[7].strip() if full else "starting")

    def _forget_stale_pid(self) -> None:
        """Remove lock files whose number now belongs to a stranger: PostgreSQL would not dare.

        Only when no process at all works in the folder, as one left over might still write there.
        """
        file = self.home.data / "postmaster.pid"
        if not file.exists() or not Path("/proc/self/cwd").exists():
            return
        everyone = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        if not any(works_in(pid, self.home.data) for pid in everyone):
            file.unlink(missing_ok=True)
            (self._socket_folder() / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _launch(self) -> subprocess.Popen[bytes]:
        options = COMMON | (FOR_TESTS if self._testing else DURABLE)
        options["unix_socket_directories"] = str(self._prepared_socket_folder())
        arguments: list[str | Path] = ["-D", self.home.data, "-p", str(PORT)]
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        with self._open_log() as log:
            self._log_start = log.tell()
            return start_program(self.home, "postgres", arguments, log)

    def _await_ready(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            while not self.is_running() and process.poll() is None:
                if time.monotonic() > deadline:
                    process.send_signal(signal.SIGQUIT)
                time.sleep(0.01)
        except BaseException:  # Ctrl-C: nothing of ours keeps running
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS)
            raise
        if process.poll() is not None:
            self._explain_failed_start(deadline)
        # It may outlive this object and this process, so from here on only its pid file counts.
        process.returncode = 0

    def _explain_failed_start(self, deadline: float) -> None:
        """Raise with the server's own last word, unless waiting a little is the answer."""
        log = self._log_file.read_bytes()[self._log_start :]
        lines = log.decode(errors="replace").splitlines()
        fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        reason = (fatal or lines or ["no reason given"])[-1]
        # Back ends of a killed server live on for a moment; then the next try succeeds.
        patience = deadline - START_SECONDS + LEFTOVER_SECONDS
        if any(mark in reason for mark in LEFTOVERS) and time.monotonic() < patience:
            time.sleep(0.1)
            return
        for mark in ("FATAL:", "PANIC:"):
            reason = reason.partition(mark)[2].strip() or reason
        raise Refusal(f"PostgreSQL did not start: {reason} (log: {self._log_file})")

    @property
    def _log_file(self) -> Path:
        return self.home.folder / "log"

    def _open_log(self) -> IO[bytes]:
        if self._log_file.exists() and self._log_file.stat().st_size > LARGEST_LOG:
            self._log_file.replace(self._log_file.with_name("log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        return os.fdopen(os.open(self._log_file, flags, 0o600), "ab")

    def _socket_folder(self) -> Path:
        folder = self.home.folder
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
            return folder
        name = sha256(os.fsencode(folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"palimpsest-{name}"

    def _running_socket_folder(self) -> Path:
        """As the server itself says, which a data directory moved meanwhile does not change."""
        status = self._status()
        return Path(status.socket_folder) if status else self._socket_folder()

    def _prepared_socket_folder(self) -> Path:
        folder = self._socket_folder()
        if folder == self.home.folder:
            return folder
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            self.home.give(folder)
        # A name others can guess, in a place where others can write: make sure that it is ours.
        found = folder.lstat()
        owner = self.home.user.uid if self.home.user else os.geteuid()
        if not folder.is_dir() or folder.is_symlink() or found.st_uid != owner:
            raise Refusal(f"{folder}, meant for the database's socket, belongs to somebody else")
        folder.chmod(0o700)
        return folder
