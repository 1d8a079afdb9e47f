"""Which broker carries the record? The one that the settings name, if any."""

import json

from deploy.refusal import Refusal
from deploy.settings import Settings
from gateways.broker.kafka import KafkaBroker, WrongOptions


def open_broker(settings: Settings) -> KafkaBroker | None:
    """The topic of the Kafka cluster named; whether it answers shows when it is used."""
    if settings.kafka is None:
        return None
    try:
        return KafkaBroker(settings.kafka, settings.kafka_topic, options=_options(settings))
    except WrongOptions as error:
        raise Refusal(f"PALIMPSEST_KAFKA_CLIENT_FILE: unknown to the client: {error}") from error


def _options(settings: Settings) -> dict[str, object]:
    if settings.kafka_client_file is None:
        return {}
    try:
        options = json.loads(settings.kafka_client_file.read_text())
    except ValueError:
        options = None
    if not isinstance(options, dict):
        # What is in it may be a password.
        raise Refusal(
            f"PALIMPSEST_KAFKA_CLIENT_FILE: {settings.kafka_client_file} is not a JSON object"
        )
    return options
