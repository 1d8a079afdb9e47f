"""Does a setting decide who keeps the root key, with nothing else of the record knowing?"""

from uuid import uuid4

import psycopg
import pytest

from deploy.database import Database, find_kms
from deploy.refusal import Refusal
from deploy.settings import Settings
from domain.client.aggregate import CLIENT
from domain.client.events import ClientRegistered
from record.keys import KeyRing
from record.practice import Practice
from record.provision import NewPractice, create_practice
from tests.support.aws import running_aws
from tests.support.record import context, record_on, register


def test_with_its_root_key_at_aws_a_practice_is_written_and_read(database: Database) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with running_aws() as aws, record_on(database) as record:
        kms = find_kms(Settings(kms=aws.address(b"one")), nowhere)
        other = find_kms(Settings(kms=aws.address(b"two")), nowhere)
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            practice_id = create_practice(admin, kms, NewPractice("aws", "A practice", "UTC"))
        ((root_key_id,),) = record.admin("SELECT root_key_id FROM record.practice_key")
        assert root_key_id == kms.key_id
        assert root_key_id.startswith("arn:aws:kms:")

        def practice() -> Practice:
            return Practice(
                record.database, record.gate, KeyRing(record.database, kms), practice_id
            )

        client, by = uuid4(), context(practice_id)
        practice().handle(CLIENT, client, register(client, by), by)
        (found,) = practice().stream(client)
        assert isinstance(found.event, ClientRegistered)
        assert kms.derive("palimpsest key check") != other.derive("palimpsest key check")


def test_a_keeper_that_cannot_be_reached_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    address = "aws:?key=a&mac=b&region=us-east-1&endpoint=http://127.0.0.1:1"
    with pytest.raises(Refusal, match="PALIMPSEST_KMS: AWS KMS cannot describe_key: Endpoint"):
        find_kms(Settings(kms=address), "")
