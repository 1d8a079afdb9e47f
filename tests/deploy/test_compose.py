"""Does the compose file name settings, commands, files and services that there are?"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.commands import app
from deploy.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == "palimpsest:local"}
ROLES = ("api", "worker", "relay")


def test_each_role_is_a_service_that_is_watched() -> None:
    assert set(ROLES) < set(OURS)
    commands = {
        one.name or one.callback.__name__ for one in app.registered_commands if one.callback
    }
    for name in OURS:
        assert OURS[name]["command"] == [name]
        assert name in commands
    assert {*ROLES, "postgres", "kafka", "witness"} == {
        name for name, one in SERVICES.items() if "healthcheck" in one
    }


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_ours_and_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = OURS[name]["environment"]
    known = {f"{PREFIX}{setting.upper()}" for setting in Settings.model_fields}
    assert set(given) <= known
    for setting, value in given.items():
        monkeypatch.setenv(setting, value)
    settings = Settings()
    assert settings.kafka == "kafka:9092"
    assert settings.projection_source == "kafka"
    assert not settings.testing


def test_nobody_but_who_migrates_holds_the_administrators_password() -> None:
    holders = {name for name, one in OURS.items() if "pgpass" in one["secrets"]}
    assert holders == {"migrate"}
    for role in ROLES:
        address = OURS[role]["environment"]["PALIMPSEST_DATABASE_URL"]
        assert address.startswith("postgresql://palimpsest_app@")


def test_nothing_is_published_but_the_api_on_the_loopback_address() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published == {"api": ["127.0.0.1:8000:8000"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, one in SERVICES.items() if one["networks"] != ["inside"]}
    assert outside == {"api"}


def test_secrets_are_files_and_in_no_setting() -> None:
    for name, one in SERVICES.items():
        for secret in one.get("secrets", ()):
            assert COMPOSE["secrets"][secret]["file"].startswith("secrets/"), name
        told = [
            key for key in one.get("environment", {}) if re.search("PASSWORD|SECRET|TOKEN", key)
        ]
        assert all(key.endswith("_FILE") for key in told), name
    ignored = (DEPLOY.parent / ".gitignore").read_text().split()
    assert "/deploy/secrets/" in ignored


def test_services_wait_for_services_that_there_are() -> None:
    for one in SERVICES.values():
        assert set(one.get("depends_on", {})) <= set(SERVICES)
    stores = {
        volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())
    }
    assert stores == set(COMPOSE["volumes"])


def test_the_image_is_built_from_locks_by_hash_and_does_not_run_as_root() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    installs = re.findall(r"(?<!un)install --.*", dockerfile)
    assert len(installs) == 3
    for line in installs:
        assert "--require-hashes" in line or "--no-index" in line
    stages = re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    assert "\nUSER 10001\n" in stages[1]
    assert "install" not in stages[1].replace("uninstall", "")
    for copied in re.findall(r"^COPY ((?:\S+\.lock ?)+)", dockerfile, flags=re.MULTILINE):
        assert all((DEPLOY.parent / file).exists() for file in copied.split())
