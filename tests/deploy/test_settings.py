"""Are settings read from the environment, and wrong ones refused?"""

from pathlib import Path

import pytest

from deploy.refusal import Refusal
from deploy.settings import load_settings


def test_without_any_setting_everything_is_local() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.data_dir == Path.cwd() / ".data"
    assert settings.key_file == Path.cwd() / ".data" / "root.key"
    assert settings.database_url is None
    assert not settings.testing


def test_the_key_lies_in_the_data_directory_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", "/srv/palimpsest")
    assert load_settings().key_file == Path("/srv/palimpsest/root.key")
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", "/mnt/stick/key")
    assert load_settings().key_file == Path("/mnt/stick/key")


def test_witnesses_are_named_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().witnesses == (str(Path.cwd() / ".data" / "witness"),)
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", "/srv/palimpsest")
    assert load_settings().witnesses == ("/srv/palimpsest/witness",)
    named = ["/mnt/heads", "s3://heads/spa?endpoint=http://minio:9000", "https://w.example/log"]
    monkeypatch.setenv("PALIMPSEST_WITNESSES", f" {', '.join(named)},")
    assert load_settings().witnesses == tuple(named)
    monkeypatch.setenv("PALIMPSEST_WITNESSES", "heads,http://127.0.0.1:9000")
    assert load_settings().witnesses == (str(Path.cwd() / "heads"), "http://127.0.0.1:9000")


def test_an_empty_setting_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", "")
    assert load_settings().database_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PALIMPSEST_PORT", "eighty"),
        ("PALIMPSEST_PORT", "70000"),
        ("PALIMPSEST_POOL_SIZE", "0"),
        ("PALIMPSEST_LOG_LEVEL", "loud"),
        ("PALIMPSEST_DATABASE_URL", "my database"),
        ("PALIMPSEST_KAFKA", "broker"),
        ("PALIMPSEST_KAFKA", "kafka://broker:9092"),
        ("PALIMPSEST_KAFKA_TOPIC", "our topic"),
        ("PALIMPSEST_PROJECTION_SOURCE", "rabbit"),
        ("PALIMPSEST_KMS", "aws:?key=alias/palimpsest"),
        ("PALIMPSEST_KMS", "vault"),
        ("PALIMPSEST_WITNESSES", "http://witness.example/log"),
        ("PALIMPSEST_WITNESSES", "/srv/heads, ftp://witness.example/log"),
        ("PALIMPSEST_WITNESSES", "s3:///no-bucket"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Refusal, match=f"^{name}: "):
        load_settings()


def test_a_misspelt_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_DATABSE_URL", "postgresql:///x")
    with pytest.raises(Refusal, match="PALIMPSEST_DATABSE_URL is not a setting"):
        load_settings()


def test_a_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", "postgresql://someone:hush@db/palimpsest")
    assert "hush" not in repr(load_settings())
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", "postgresql://someone:hush@db:port:8/%%")
    with pytest.raises(Refusal) as refused:
        load_settings()
    assert "hush" not in str(refused.value)
