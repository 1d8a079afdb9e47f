"""Can an auditor take home what proves a log, and check it with nothing but the public key?"""

from base64 import b64decode
from typing import Any
from uuid import UUID

import pytest

from deploy.postgres import Cluster
from record.checkpoint import Checkpoint, VerifyKey, origin_of
from record.merkle import verify_consistency, verify_inclusion
from tests.support.api import Api, Json, Team, api_on, refusal, wrong_fields
from tests.support.postgres import new_database
from tests.support.states import a_client, done, sealed_log

LOGS = ("record", "access")
ROUTES = ("checkpoint", "proofs/inclusion", "proofs/consistency")


def key(api: Api, team: Team, log: str) -> VerifyKey:
    """What an auditor was given on paper."""
    return VerifyKey.parse(str(api.platform.seals.verify_key(team.practice_id, log)))


def hashes(texts: list[str]) -> list[bytes]:
    return [b64decode(text, validate=True) for text in texts]


def checkpoint(api: Api, team: Team, log: str) -> Checkpoint:
    answer = team.auditor.get("/v1/log/checkpoint", log=log)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return key(api, team, log).open(answer.text)


@pytest.mark.parametrize("log", LOGS)
def test_a_log_is_checked_with_the_public_key_alone(api: Api, demo: Team, log: str) -> None:
    done(demo.auditor.get(f"/v1/clients/{a_client(demo.clinician)}/accesses"))
    sealed_log(demo.auditor, log)
    old = checkpoint(api, demo, log)
    for _ in range(3):
        done(demo.auditor.get(f"/v1/clients/{a_client(demo.clinician)}/accesses"))
    sealed_log(demo.auditor, log)
    new = checkpoint(api, demo, log)
    assert new.origin == origin_of(demo.practice_id, log)
    assert new.size > old.size

    for position in (1, old.size, new.size):
        proven = done(demo.auditor.get("/v1/log/proofs/inclusion", log=log, position=position))
        leaf, proof = b64decode(proven["leaf_hash"]), hashes(proven["proof"])
        assert (proven["log"], proven["position"], proven["size"]) == (log, position, new.size)
        assert key(api, demo, log).open(proven["checkpoint"]) == new
        assert verify_inclusion(position - 1, new.size, leaf, proof, new.root)
        stored = api.admin(
            """SELECT leaf_hash FROM record.event
            WHERE practice_id = %s AND log = %s AND position = %s""",
            (demo.practice_id, log, position),
        )
        assert stored == [(leaf,)]

    earlier: dict[str, Any] = {"log": log, "position": 1, "size": old.size}
    proven = done(demo.auditor.get("/v1/log/proofs/inclusion", **earlier))
    assert verify_inclusion(
        0, old.size, b64decode(proven["leaf_hash"]), hashes(proven["proof"]), old.root
    )

    span: dict[str, Any] = {"log": log, "from": old.size}
    for to in ({}, {"to": new.size}):
        grown = done(demo.auditor.get("/v1/log/proofs/consistency", **(span | to)))
        assert (grown["old_size"], grown["new_size"]) == (old.size, new.size)
        assert key(api, demo, log).open(grown["old_checkpoint"]) == old
        assert key(api, demo, log).open(grown["new_checkpoint"]) == new
        proof = hashes(grown["proof"])
        assert verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_the_record_is_meant_unless_another_log_is_named(api: Api, demo: Team) -> None:
    a_client(demo.clinician)
    size = sealed_log(demo.auditor)
    answer = demo.auditor.get("/v1/log/checkpoint")
    assert key(api, demo, "record").open(answer.text).size == size


def test_each_practice_is_answered_of_its_own_logs(api: Api, demo: Team, harbor: Team) -> None:
    for team in (demo, harbor):
        a_client(team.clinician)
        sealed_log(team.auditor)
    ours, theirs = checkpoint(api, demo, "record"), checkpoint(api, harbor, "record")
    assert ours.origin != theirs.origin
    assert UUID(theirs.origin.split("/")[1]) == harbor.practice_id
    proven = done(harbor.auditor.get("/v1/log/proofs/inclusion", position=1))
    leaf, proof = b64decode(proven["leaf_hash"]), hashes(proven["proof"])
    assert verify_inclusion(0, theirs.size, leaf, proof, theirs.root)
    assert not verify_inclusion(0, ours.size, leaf, proof, ours.root)


def test_what_was_asked_stands_in_the_access_log(api: Api, demo: Team) -> None:
    a_client(demo.clinician)
    size = sealed_log(demo.auditor)
    params: dict[str, Json] = {
        "checkpoint": {},
        "proofs/inclusion": {"position": 1},
        "proofs/consistency": {"from": size},
    }
    words = ("checkpoint", "inclusion proof", "consistency proof")
    for route, what in zip(ROUTES, words, strict=True):
        done_ = demo.auditor.get(f"/v1/log/{route}", **params[route])
        assert done_.status_code == 200
        entry = api.latest_access(demo)
        assert (entry["action"], entry["what"], entry["client_id"]) == ("read", what, None)


def test_there_is_no_head_of_a_log_that_nothing_was_written_to(cluster: Cluster) -> None:
    with new_database(cluster) as ready, api_on(ready) as api:
        for route, params in (
            ("checkpoint", {}),
            ("proofs/inclusion", {"position": 1}),
            ("proofs/consistency", {"from": 1}),
        ):
            answer = api.demo.auditor.get(f"/v1/log/{route}", **params)
            refusal(answer, 404, "not_sealed_yet")


def test_sizes_and_positions_that_no_head_covers(demo: Team) -> None:
    a_client(demo.clinician)
    old = sealed_log(demo.auditor)
    for _ in range(2):
        a_client(demo.clinician)
    new = sealed_log(demo.auditor)
    a_client(demo.clinician)  # not sealed
    ask = demo.auditor.get
    for params, status, code in (
        ({"position": new + 1}, 422, "beyond_head"),
        ({"position": old + 1, "size": old}, 422, "beyond_head"),
        ({"position": 1, "size": new + 1}, 404, "not_sealed_yet"),
        ({"position": 1, "size": new - 1}, 404, "no_such_head"),
        ({"position": 1, "size": 2**63 - 1}, 404, "not_sealed_yet"),
    ):
        refusal(ask("/v1/log/proofs/inclusion", **params), status, code)
    for params, status, code in (
        ({"from": old, "to": new + 1}, 404, "not_sealed_yet"),
        ({"from": old, "to": new - 1}, 404, "no_such_head"),
        ({"from": new - 1, "to": new}, 404, "no_such_head"),
        ({"from": new, "to": old}, 422, "beyond_head"),
        ({"from": new + 1}, 422, "beyond_head"),
    ):
        refusal(ask("/v1/log/proofs/consistency", **params), status, code)


@pytest.mark.parametrize(
    ("route", "params", "field"),
    [
        ("checkpoint", {"log": "draft"}, "log"),
        ("checkpoint", {"log": ""}, "log"),
        ("proofs/inclusion", {}, "position"),
        ("proofs/inclusion", {"position": 0}, "position"),
        ("proofs/inclusion", {"position": -1}, "position"),
        ("proofs/inclusion", {"position": 2**63}, "position"),
        ("proofs/inclusion", {"position": "one"}, "position"),
        ("proofs/inclusion", {"position": 1, "size": 0}, "size"),
        ("proofs/inclusion", {"position": 1, "size": 2**63}, "size"),
        ("proofs/consistency", {}, "from"),
        ("proofs/consistency", {"from": 0}, "from"),
        ("proofs/consistency", {"from": 1, "to": 0}, "to"),
        ("proofs/consistency", {"from": 2**63}, "from"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    demo: Team, route: str, params: Json, field: str
) -> None:
    assert list(wrong_fields(demo.auditor.get(f"/v1/log/{route}", **params))) == [field]
