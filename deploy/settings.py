"""What can be set from outside, and what holds when nothing is?"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deploy.refusal import Refusal
from gateways.kms.aws import read_address

PREFIX = "PALIMPSEST_"
LOCAL = "local"
SERVERS = r"^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$"

Role = Literal["serve", "api", "worker", "relay"]
"""What a process is for; `serve` is all of it."""

AbsolutePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


def _is_database_address(url: str) -> str:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ValueError("not a PostgreSQL address") from None  # libpq's text may quote a password
    return url


def _is_keeper(address: str) -> str:
    if address != LOCAL:
        read_address(address)
    return address


def _beside_the_data(given: dict[str, Any]) -> Path:
    # `data_dir` is missing only when it was itself refused; then this default is never used.
    return Path(given.get("data_dir", ".data")) / "root.key"


def _witness_beside_the_data(given: dict[str, Any]) -> tuple[str, ...]:
    return (str(Path(given.get("data_dir", ".data")) / "witness"),)


def _addresses(given: object) -> object:
    return (
        tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given
    )


def _is_witness(address: str) -> str:
    scheme, is_url, rest = address.partition("://")
    if not is_url:
        return str(Path(address).expanduser().absolute())
    host = urlsplit(address).hostname
    if scheme == "http" and host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("a witness on the network is asked over https")
    if scheme not in ("http", "https", "s3") or not host or not rest:
        raise ValueError("a folder, s3://bucket/prefix or https://…")
    return address


class Settings(BaseSettings):
    """Every setting is an environment variable: `PALIMPSEST_PORT=8001 make run`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, validate_default=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)  # 0: any free port
    data_dir: AbsolutePath = Path(".data")
    # None: our own PostgreSQL
    database_url: Annotated[str, AfterValidator(_is_database_address)] | None = Field(
        default=None, repr=False
    )
    # Who keeps the root key: the key file, or aws:?key=alias/…&mac=alias/…&region=…
    kms: Annotated[str, AfterValidator(_is_keeper)] = LOCAL
    key_file: AbsolutePath = Field(default_factory=_beside_the_data)
    # Who sees the signed heads: folders, s3://bucket/prefix?endpoint=…, https://…; commas between
    witnesses: Annotated[
        tuple[Annotated[str, AfterValidator(_is_witness)], ...],
        NoDecode,
        BeforeValidator(_addresses),
    ] = Field(default_factory=_witness_beside_the_data)
    # Where projections read: the record, or the topic that carries it
    projection_source: Literal["postgres", "kafka"] = "postgres"
    kafka: Annotated[str, Field(pattern=SERVERS)] | None = None  # host:port,… ; None: no relay
    kafka_topic: str = Field(default="palimpsest.record", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    kafka_client_file: AbsolutePath | None = None  # the client's own options, as JSON
    metrics_port: int = Field(default=8001, ge=0, le=65535)  # of worker and relay; 0: any free
    pool_size: int = Field(default=10, ge=2, le=200)
    session_idle_minutes: int = Field(default=15, ge=1, le=24 * 60)
    demo: bool = True  # load the demo practices into an empty database
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    testing: bool = False  # accept a database that may lose what it acknowledged


def load_settings() -> Settings:
    """Read the environment; a wrong or misspelt setting is refused, never silently ignored."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}TEST_"):
            raise Refusal(f"{name} is not a setting; known are {', '.join(sorted(known))}")
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}"
            for each in error.errors(include_input=False)
            if each["type"] != "default_factory_not_called"  # only follows from another one
        ]
        raise Refusal("; ".join(wrong)) from None
