"""Which witnesses see the signed heads? Those that the settings name."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from deploy.settings import Settings
from gateways.kms import Kms
from gateways.witness import Rule, Witness
from gateways.witness.http import HttpWitness
from gateways.witness.store import bucket_witness, folder_witness
from record.witnessing import rule, trusting


@contextmanager
def open_witnesses(settings: Settings, kms: Kms) -> Iterator[Sequence[Witness]]:
    """Connects to them; whether they answer shows when they are asked."""
    judge = rule(trusting(kms))
    with ExitStack() as stack:
        yield [_witness(address, judge, stack) for address in settings.witnesses]


def _witness(address: str, judge: Rule, stack: ExitStack) -> Witness:
    if address.startswith(("https://", "http://")):
        return stack.enter_context(closing(HttpWitness(address)))
    if address.startswith("s3://"):
        return bucket_witness(address, judge)
    return folder_witness(Path(address), judge)
