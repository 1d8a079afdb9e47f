"""Which witnesses see the signed heads? Those that the settings name."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from deploy.refusal import Refusal
from deploy.settings import Settings
from gateways.kms import Kms
from gateways.witness import Rule, Witness
from gateways.witness.http import HttpWitness
from gateways.witness.store import bucket_witness, folder_witness
from record.witnessing import rule, trusting


@contextmanager
def open_witnesses(
    settings: Settings, kms: Kms, *, must_exist: bool = False
) -> Iterator[Sequence[Witness]]:
    """Connects to them; whether they answer shows when they are asked.

    A folder is made where there is none, unless it `must_exist`: one that was named for this once
    may be a slip of the keyboard, and an empty one in its place would look like an attack.
    """
    judge = rule(trusting(kms))
    with ExitStack() as stack:
        for folder in map(Path, filter(_is_folder, settings.witnesses)):
            if (must_exist or folder.exists()) and not folder.is_dir():
                raise Refusal(f"there is no folder {folder} for a witness")
        yield [_witness(address, judge, stack) for address in settings.witnesses]


def _is_folder(address: str) -> bool:
    return "://" not in address


def _witness(address: str, judge: Rule, stack: ExitStack) -> Witness:
    if address.startswith(("https://", "http://")):
        return stack.enter_context(closing(HttpWitness(address)))
    if address.startswith("s3://"):
        return bucket_witness(address, judge)
    return folder_witness(Path(address), judge)
