"""Apache Kafka. The one module that imports its client."""

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final

import structlog
from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
)
from kafka.admin import NewTopic
from kafka.errors import (
    AuthorizationError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
)

from gateways.broker import MESSAGE_MAX, BrokerUnavailable, Delivery, Message, MessageRefused

log = structlog.get_logger()
# During an outage these tell of every attempt; the workers tell once that there is one.
for _name in ("kafka.net", "kafka.cluster", "kafka.consumer.fetcher", "kafka.coordinator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

CONNECT_MS: Final = 5_000
BLOCK_MS: Final = 2_000
BATCH_BYTES: Final = 512 * 1024
DELIVER_MS: Final = 5_000
"""Until a message that the broker does not take is given up; then it is sent again as a whole."""
SESSION_MS: Final = 10_000
"""After this long without a sign of life a consumer's partitions go to the others."""
LOOK_SECONDS: Final = 1.0
"""How often a publisher looks whether the topic is still the same one."""
NEW_TOPIC: Final = {"max.message.bytes": str(MESSAGE_MAX + 64 * 1024)}

# The client retries by itself, soon and for ever; after an outage nobody waits for long.
_COMMON: Final = {
    "bootstrap_timeout_ms": CONNECT_MS,
    "reconnect_backoff_max_ms": 500,
    "metadata_max_age_ms": 3_000,
}
_REFUSALS: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    AuthorizationError,
    InvalidTopicError,
)


class WrongOptions(Exception):
    """The client does not know an option that it was given."""


class KafkaBroker:
    """A topic of a Kafka cluster. `options` are the client's own, such as for TLS and SASL.

    Raises `WrongOptions`.
    """

    def __init__(
        self,
        servers: str,
        topic: str,
        *,
        session_ms: int = SESSION_MS,
        options: dict[str, Any] | None = None,
    ) -> None:
        unknown = {*(options or {})} - {*KafkaAdminClient.DEFAULT_CONFIG}
        if unknown:
            raise WrongOptions(", ".join(sorted(unknown)))
        self.topic = topic
        self._session_ms = session_ms
        self._options = {"bootstrap_servers": servers.split(","), **_COMMON, **(options or {})}

    def publisher(self) -> "KafkaPublisher":
        """A new one; connects when first used."""
        return KafkaPublisher(self)

    def consumer(self, group: str) -> "KafkaGroupConsumer":
        """A new member of a group; joins when first used."""
        return KafkaGroupConsumer(self, group)

    def find_topic(self) -> str:
        """Names cluster and topic, after making the topic if there is none.

        Partitions and replicas are the broker's defaults. Raises `BrokerUnavailable`.
        """
        try:
            with _connected(KafkaAdminClient, self._options) as admin:
                while (found := admin.describe_topics([self.topic])[0])["error_code"]:
                    try:
                        admin.create_topics([NewTopic(self.topic, topic_configs=NEW_TOPIC)])
                    except TopicAlreadyExistsError:
                        continue
                return f"{admin.describe_cluster()['cluster_id']}:{found['topic_id']}"
        except KafkaError as error:
            raise BrokerUnavailable(type(error).__name__) from error

    def connect_producer(self) -> KafkaProducer:
        """Acknowledged by every replica in sync, without gaps or repetitions within a session."""
        return _connected(
            KafkaProducer,
            self._options,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            max_request_size=MESSAGE_MAX + 32 * 1024,
            # Nothing is waited for: what is sent together leaves together, when it is flushed.
            linger_ms=100,
            batch_size=BATCH_BYTES,
            max_block_ms=BLOCK_MS,
            request_timeout_ms=DELIVER_MS - 1_000,
            delivery_timeout_ms=DELIVER_MS,
        )

    def connect_consumer(self, group: str) -> KafkaConsumer:
        """From the first message that the group has not committed."""
        return _connected(
            KafkaConsumer,
            self._options,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            fetch_max_wait_ms=100,
            session_timeout_ms=self._session_ms,
            heartbeat_interval_ms=self._session_ms // 4,
        )


class KafkaPublisher:
    """One producer, replaced after each failure."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker
        self._producer: KafkaProducer | None = None
        self._place = ""
        self._looked_at = 0.0

    def place(self) -> str:
        """`<cluster id>:<topic id>`. A cluster formatted anew has a new id, and so has a topic."""
        if not self._place or monotonic() > self._looked_at + LOOK_SECONDS:
            before, self._place = self._place, ""
            found = self._broker.find_topic()
            if before not in ("", found):
                self.close()  # its connections belong to the cluster before
            self._place, self._looked_at = found, monotonic()
        return self._place

    def publish(self, messages: Sequence[Message]) -> None:
        """Sends all, and waits for all. Raises `BrokerUnavailable`, `MessageRefused`."""
        try:
            if self._producer is None:
                self._producer = self._broker.connect_producer()
            sent = [
                self._producer.send(
                    self._broker.topic,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers),
                )
                for message in messages
            ]
            self._producer.flush(timeout=(DELIVER_MS + 1_000) / 1000)
            for one in sent:
                one.get(timeout=0)
        except _REFUSALS as error:
            self.close()
            raise MessageRefused(type(error).__name__) from error
        except KafkaError as error:
            # What it still holds must not follow what a later one sends.
            self.close()
            raise BrokerUnavailable(type(error).__name__) from error

    def close(self) -> None:
        """Drops the producer with whatever it could not send."""
        producer, self._producer, self._place = self._producer, None, ""
        if producer is not None:
            try:
                producer.close(timeout=(DELIVER_MS + 1_000) / 1000)
            except KafkaError as error:
                log.warning("publisher_not_closed", error=type(error).__name__)


class KafkaGroupConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # it carries no types
    """One member of a consumer group. Between two polls its partitions are its own."""

    def __init__(self, broker: KafkaBroker, group: str) -> None:
        self._broker = broker
        self._group = group
        self._consumer: KafkaConsumer | None = None
        self._uncommitted: dict[TopicPartition, int] = {}

    def poll(self, seconds: float) -> list[Delivery]:
        """What has arrived. Raises `BrokerUnavailable` if the broker was never reached."""
        try:
            if self._consumer is None:
                self._consumer = self._broker.connect_consumer(self._group)
                self._consumer.subscribe([self._broker.topic], listener=self)
            found = self._consumer.poll(timeout_ms=int(seconds * 1000))
        except KafkaError as error:
            self.close()
            raise BrokerUnavailable(type(error).__name__) from error
        for partition, records in found.items():
            self._uncommitted.setdefault(partition, records[0].offset)
        return [
            Delivery(
                one.partition,
                one.offset,
                Message(one.key or b"", one.value or b"", (*one.headers,)),
            )
            for records in found.values()
            for one in records
        ]

    def commit(self) -> None:
        """Commits what was delivered last. Raises `BrokerUnavailable`."""
        if self._consumer is None or not self._uncommitted:
            return
        try:
            self._consumer.commit(timeout_ms=CONNECT_MS)
        except KafkaError as error:
            # Perhaps others have the partitions by now; a new member begins where the group is.
            self.close()
            raise BrokerUnavailable(type(error).__name__) from error
        self._uncommitted.clear()

    def rewind(self) -> None:
        """Goes back to the first message of each partition that was not committed."""
        if self._consumer is not None:
            for partition, offset in self._uncommitted.items():
                if partition in self._consumer.assignment():
                    self._consumer.seek(partition, offset)
        self._uncommitted.clear()

    def close(self) -> None:
        """Leaves the group."""
        consumer, self._consumer = self._consumer, None
        self._uncommitted.clear()
        if consumer is not None:
            try:
                consumer.close(autocommit=False, timeout_ms=BLOCK_MS)
            except KafkaError as error:
                log.warning("consumer_not_closed", error=type(error).__name__)

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Others take them over from what was committed; so do we, should they come back."""
        for partition in revoked:
            self._uncommitted.pop(partition, None)
        log.info("partitions_revoked", partitions=len(revoked))

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """The client begins each after what the group has committed."""
        log.info("partitions_assigned", partitions=len(assigned))


def _connected(kind: Callable[..., Any], options: dict[str, Any], **more: object) -> Any:  # noqa: ANN401 - they carry no types
    """A client that has reached the cluster. One that cannot leaves nothing running behind."""
    connections: list[Any] = []

    def connect(**given: object) -> Any:  # noqa: ANN401 - likewise
        connections.append(KafkaAdminClient.DEFAULT_CONFIG["kafka_client"](**given))
        return connections[-1]

    try:
        return kind(**options, **more, kafka_client=connect)
    except KafkaError:
        for connection in connections:
            connection.close()
        raise
