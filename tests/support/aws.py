"""What stands in for AWS KMS in the tests? Moto's server, spoken to over HTTP as AWS is."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from gateways.kms.aws import AwsKms


class Aws:
    """A server that speaks as AWS KMS does, on this machine."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client = boto3.client("kms", endpoint_url=endpoint)
        self._addresses: dict[bytes, str] = {}

    def address(self, root: bytes) -> str:
        """Where the keeper of this root key is found; AWS makes the key itself, the first time."""
        if root not in self._addresses:
            name = f"alias/root-{uuid4()}"  # what one server knows, the process's next one knows
            made = self.client.create_key()["KeyMetadata"]["KeyId"]
            self.client.create_alias(AliasName=name, TargetKeyId=made)
            mac = self.client.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
            self._addresses[root] = (
                f"aws:?key={name}&mac={mac['KeyMetadata']['KeyId']}&endpoint={self.endpoint}"
            )
        return self._addresses[root]

    def keeper(self, root: bytes) -> AwsKms:
        return AwsKms(self.address(root))


@contextmanager
def credentials(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the client library wants to sign requests with; nobody checks it here."""
    with patch.context() as set_here:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            set_here.setenv(name, "testing")
        set_here.setenv("AWS_DEFAULT_REGION", "us-east-1")
        set_here.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@contextmanager
def running_aws() -> Iterator[Aws]:
    """The server, on a free port of the loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        with credentials(pytest.MonkeyPatch()):
            host, port = server.get_host_and_port()
            yield Aws(f"http://{host}:{port}")
    finally:
        server.stop()
