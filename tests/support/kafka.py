"""Which Kafka do the tests use? A real broker: fetched once, then started on this machine.

Maven fetches Apache Kafka and keeps it under ~/.cache/palimpsest; Java runs it on the loopback
address, a broker and its own controller in one process (KRaft). One for the whole run, whatever the
number of pytest workers, started by the first test that asks; a test that kills or wipes a broker
makes one of its own. PALIMPSEST_TEST_KAFKA=host:port uses another for what needs only one.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

ELSEWHERE = "PALIMPSEST_TEST_KAFKA"
POM = Path(__file__).with_name("kafka.pom.xml")
PATIENCE = 60.0
SESSION_MS = 2_000
"""How soon a killed consumer is missed, in tests."""

_KEPT: list["KafkaServer"] = []
"""The run's broker runs on until the guardian ends it: nobody may think that it was forgotten."""

# Small, and quick to start rather than quick once warm.
JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=4
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=1500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
num.network.threads=1
num.io.threads=2
log.cleaner.enable=false
"""


class NoKafka(Exception):
    """There is no broker to be had here. Says what is missing."""


def jars() -> Path:
    """The folder with Kafka, fetched if it is not there yet. Raises `NoKafka`."""
    missing = [program for program in ("java", "mvn") if shutil.which(program) is None]
    if missing:
        raise NoKafka(
            f"no {' and no '.join(missing)} here: install Java 17 and Maven "
            f"(apt-get install openjdk-17-jre-headless maven), or name a broker in {ELSEWHERE}"
        )
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "palimpsest"
    folder = cache / f"kafka-{sha256(POM.read_bytes()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "kafka.lock"):
        if not folder.exists():
            half = folder.with_suffix(".half")
            fetched = subprocess.run(
                [
                    "mvn", "--quiet", "--batch-mode", "--file", POM, "dependency:copy-dependencies",
                    "-DincludeScope=runtime", f"-DoutputDirectory={half}",
                ],
                capture_output=True,
                text=True,
                check=False,
            )  # fmt: skip
            if fetched.returncode:
                raise NoKafka(f"Maven could not fetch Kafka: {fetched.stdout[-400:]}")
            half.rename(folder)
    return folder


class KafkaServer:
    """A broker in a folder, on ports of its own that it keeps through every restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jars = jars()
        self._process: subprocess.Popen[bytes] | None = None
        ports = folder / "ports"
        if not ports.exists():
            folder.mkdir(parents=True, exist_ok=True)
            ports.write_text(" ".join(map(str, _free_ports(2))))
        self.port, controller = map(int, ports.read_text().split())
        self._properties = folder / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(port=self.port, controller=controller, data=self._data)
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def is_running(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    def start(self) -> None:
        """Returns once it accepts connections."""
        if not self._data.exists():
            # The tool takes an id that begins with a hyphen for an option.
            cluster = urlsafe_b64encode(uuid4().bytes).rstrip(b"=").decode().replace("-", "A")
            tool = ("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self._properties)
            subprocess.run(self._java(*tool), check=True, capture_output=True)
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", self._properties),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # the guardian stops it, not the terminal
            )
        (self.folder / "pid").write_text(str(self._process.pid))
        deadline = monotonic() + PATIENCE
        while not self.is_running():
            if self._process.poll() is not None or monotonic() > deadline:
                told = (self.folder / "out").read_text()[-2000:]
                raise AssertionError(f"Kafka did not start: {told}")
            sleep(0.05)

    def stop(self) -> None:
        """Lets it end in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def wipe(self) -> None:
        """Kills it and forgets everything; the next start is a new cluster at the same address."""
        self.kill()
        shutil.rmtree(self._data)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _java(self, *arguments: str | Path) -> list[str | Path]:
        return [*JAVA, "-cp", f"{self._jars}/*", *arguments]

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None


def run_broker(run: Path) -> str:
    """The address of the run's broker; starts it unless another worker did. Raises `NoKafka`."""
    elsewhere = os.environ.get(ELSEWHERE)
    if elsewhere:
        return elsewhere
    with _locked(run / "kafka.lock"):
        server = KafkaServer(run / "kafka")
        if not server.is_running():
            server.start()
            _KEPT.append(server)
    return server.address


def end_run(run: Path) -> None:
    """Ends the run's broker, whoever started it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((run / "kafka" / "pid").read_text()), signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
