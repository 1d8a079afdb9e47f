"""What is a person told, in one line, when Palimpsest will not or cannot go on?"""

import errno
from typing import Final

import psycopg
from pydantic import ValidationError

_OS_REASONS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the folder is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.ENOENT: "the folder does not exist and cannot be made",
    errno.EADDRINUSE: "the port is in use",
    errno.EISDIR: "this is a folder; it should be a file",
    errno.EEXIST: "something else is there already",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ELOOP: "the links in the path lead round in a circle",
    errno.EMFILE: "too many files are open",
    errno.EIO: "the disk does not answer",
}


class Refusal(Exception):
    """A clear reason not to go on. The command line prints it as one line and exits with 1."""


def one_line(error: BaseException) -> str | None:
    """Say a refusal, or a failure of the world around us, in one line; None is a bug of ours.

    A database's own text is shown only where it cannot quote a row.
    """
    match error:
        case Refusal():
            return " ".join(str(error).split())
        case ValidationError():
            return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        case psycopg.errors.DiskFull():
            return "the disk of the database is full"
        case psycopg.OperationalError() if error.sqlstate is None:
            return f"the database cannot be reached: {' '.join(str(error).split())}"
        case OSError() if error.errno in _OS_REASONS:
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{_OS_REASONS[error.errno]}"
        case _:
            return None
