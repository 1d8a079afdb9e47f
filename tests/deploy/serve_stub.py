"""What is `palimpsest serve` without the application? Starting and stopping, nothing else.

Run as a program, with a stand-in for the composition root that answers every request with "here".
"""

import os
import sys
import types
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from fastapi import FastAPI

from deploy.cli import main


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    if "PALIMPSEST_TEST_BROKEN_APP" in os.environ:
        raise RuntimeError("canary-broken")
    yield


@contextmanager
def running_app(*_: object) -> Iterator[types.SimpleNamespace]:
    app = FastAPI(lifespan=lifespan)
    app.get("/")(lambda: "here")
    yield types.SimpleNamespace(asgi=app, announcement="sign in as anybody")
    sys.stdout.write("application closed\n")


if __name__ == "__main__":
    stand_in = types.ModuleType("deploy.wiring")
    stand_in.running_app = running_app  # type: ignore[attr-defined]  # made here
    sys.modules["deploy.wiring"] = stand_in
    sys.argv = ["palimpsest", *sys.argv[1:]]
    main()
