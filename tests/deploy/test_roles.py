"""Do API, worker and relay do as processes of their own what `serve` does in one?"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from api.security.identity import Identity
from deploy import background
from deploy.broker import open_broker
from deploy.commands import app
from deploy.database import Database
from deploy.founding import NewMember, add_member, found
from deploy.refusal import Refusal
from deploy.settings import Settings, load_settings
from domain.kernel.ids import ActorId
from record import database as record_database
from record.provision import NewPractice
from tests.support.broker import delivered
from tests.support.postgres import ROOT_KEY

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def settled(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> pytest.MonkeyPatch:
    """Settings by which every process finds this test's database."""
    key_file = tmp_path / "root.key"
    key_file.touch(mode=0o600)
    key_file.write_text(ROOT_KEY.hex())
    for name, value in {
        "DATABASE_URL": database.admin_url,
        "KEY_FILE": str(key_file),
        "WITNESSES": str(tmp_path / "witness"),
        "TESTING": "true",
        "PORT": "0",
        "METRICS_PORT": "0",
        "DEMO": "false",
    }.items():
        monkeypatch.setenv(f"PALIMPSEST_{name}", value)
    return monkeypatch


@pytest.fixture
def start(settled: pytest.MonkeyPatch) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def one(role: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from deploy.cli import main; main()", role],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ,
        )
        started.append(process)
        return process

    yield one
    for process in started:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert " is ready" in line, process.communicate()[1]
    return line.split()[-1].removesuffix("/healthz")


def ask(url: str, token: str = "", body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    data = None if body is None else json.dumps(body).encode()
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - likewise
        return answer.read().decode()


def gauge(url: str, name: str) -> float:
    lines = ask(f"{url}/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not true():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.05)


def clinician(database: Database) -> str:
    """A practice with one member; her token."""
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        practice_id = found(admin, database.kms, NewPractice("roles", "Roles", "Europe/Paris"))
        new = NewMember("ann@roles.example", "Ann", "clinician")
        member_id = ActorId(add_member(admin, practice_id, new, "a long password"))
    with record_database.Database(database.app_url, size=2) as opened:
        identity = Identity(opened, idle=timedelta(0))
        lasts = timedelta(hours=1)
        return identity.begin(practice_id, member_id, "token", at=datetime.now(UTC), lasts=lasts)


def palimpsest(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_what_the_api_records_reaches_people_by_way_of_relay_kafka_and_worker(
    start: Start, database: Database, kafka_address: str, settled: pytest.MonkeyPatch
) -> None:
    settled.setenv("PALIMPSEST_KAFKA", kafka_address)
    settled.setenv("PALIMPSEST_KAFKA_TOPIC", f"test-{uuid4()}")
    settled.setenv("PALIMPSEST_PROJECTION_SOURCE", "kafka")
    token = clinician(database)
    processes = [start(role) for role in ("api", "worker", "relay")]
    api, worker, relay = map(address, processes)
    body = {"given_name": "Ana", "family_name": "Bell", "birth_date": "1990-02-28"}
    ask(f"{api}/v1/clients", token, body)
    until(lambda: "Ana" in ask(f"{api}/v1/clients/search", token, {"q": "bell"}))
    for url in (api, worker, relay):
        assert json.loads(ask(f"{url}/healthz")) == {"status": "ok"}
    until(lambda: gauge(relay, "palimpsest_relay_published_total") == 1)
    until(lambda: gauge(worker, "palimpsest_projection_lag_events") == 0)
    until(lambda: gauge(worker, "palimpsest_unsealed_events") == 0)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(f"{worker}/elsewhere")
    again = palimpsest("relay", "--again-from", "1", "--practice", "roles")
    assert again.stdout == "roles is published again from position 1 on\n"
    until(lambda: gauge(relay, "palimpsest_relay_published_total") == 2)
    for process in processes:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert '"level": "error"' not in err
    broker = open_broker(load_settings())
    assert broker is not None
    assert len(delivered(broker, 2)) == 2
    beyond = palimpsest("relay", "--again-from", "9", "--practice", "roles")
    assert isinstance(beyond.exception, Refusal)
    assert "not been published up to position 9" in str(beyond.exception)


def test_a_role_that_lacks_its_broker_is_told_in_one_line(
    start: Start, settled: pytest.MonkeyPatch
) -> None:
    _, err = start("relay").communicate(timeout=60)
    assert err == "palimpsest: PALIMPSEST_KAFKA: a relay needs a broker to publish to\n"
    settled.setenv("PALIMPSEST_PROJECTION_SOURCE", "kafka")
    process = start("worker")
    _, err = process.communicate(timeout=60)
    assert err == "palimpsest: PALIMPSEST_PROJECTION_SOURCE: kafka needs PALIMPSEST_KAFKA\n"
    assert process.returncode == 1


@pytest.mark.usefixtures("settled")
def test_publishing_again_needs_a_practice_and_a_broker() -> None:
    for arguments, why in (
        (("--again-from", "1"), "given together"),
        (("--practice", "demo"), "given together"),
        (("--again-from", "1", "--practice", "demo"), "there is no broker"),
    ):
        result = palimpsest("relay", *arguments)
        assert isinstance(result.exception, Refusal)
        assert why in str(result.exception)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no json", "is not a JSON object"),
        ('["security_protocol"]', "is not a JSON object"),
        ('{"sesame": "hush"}', "unknown to the client: sesame$"),
    ],
)
def test_client_options_that_cannot_be_used_are_told_without_their_values(
    tmp_path: Path, content: str, why: str
) -> None:
    file = tmp_path / "kafka.json"
    file.write_text(content)
    with pytest.raises(Refusal, match=why) as refused:
        open_broker(Settings(kafka="127.0.0.1:9092", kafka_client_file=file))
    assert "hush" not in str(refused.value)
    file.write_text('{"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512"}')
    assert open_broker(Settings(kafka="127.0.0.1:9092", kafka_client_file=file)) is not None


@pytest.mark.parametrize(("is_well", "status"), [(True, "200 OK"), (False, "503 Not well")])
def test_health_says_whether_the_workers_are_at_work(is_well: bool, status: str) -> None:  # noqa: FBT001 - pytest passes it
    told: list[str] = []

    def begin(status: str, *_: object) -> Callable[[bytes], object]:
        told.append(status)
        return lambda _: None

    assert list(background._answer(lambda: is_well)({"PATH_INFO": "/healthz"}, begin))
    assert told == [status]
