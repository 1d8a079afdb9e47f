"""Whoever's record was seen in any answer, that person's look is in the access log: all of them."""

import os
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.api import Api, Member, Response, Team
from tests.support.states import Noted, a_client, client_with_signed_note, done

SEQUENCES = 100 if os.environ.get("CI") == "true" else 25
CLIENTS = 4


class Reading(RuleBasedStateMachine):
    """Members of two practices read at random; each client carries a name found nowhere else."""

    api: Api
    records: dict[str, list[Noted]]
    canaries: dict[str, str]

    @initialize()
    def begin(self) -> None:
        """What was in the logs before this sequence does not count."""
        self.seen: set[tuple[str, str]] = set()
        self.before = {
            team.slug: self.api.positions(team)[1] for team in (self.api.demo, self.api.harbor)
        }

    def look(self, by: Member, team: Team, response: Response) -> None:
        for client, canary in self.canaries.items():
            if canary in response.text:
                self.seen.add((str(by.member_id), client))
                assert client in {one.client for one in self.records[team.slug]}
        assert response.status_code in {200, 403, 404, 409, 422}, response.text

    @rule(
        reader=st.sampled_from(["owner", "clinician", "front_desk", "auditor", "colleague"]),
        mine=st.sampled_from(["demo", "harbor"]),
        theirs=st.sampled_from(["demo", "demo", "harbor"]),
        number=st.integers(0, CLIENTS - 1),
        what=st.sampled_from(
            ["client", "chart", "as of", "events", "accesses", "note", "search", "merge back"]
        ),
    )
    def read(self, reader: str, mine: str, theirs: str, number: int, what: str) -> None:
        """One read, allowed or not."""
        team: Team = getattr(self.api, mine)
        by: Member = getattr(team, reader)
        noted = self.records[theirs][number]
        path = f"/v1/clients/{noted.client}"
        match what:
            case "client":
                answer = by.get(path)
            case "chart":
                answer = by.get(f"{path}/chart")
            case "as of":
                answer = by.get(f"{path}/chart", as_of=self.api.clock.now().isoformat())
            case "events" | "accesses":
                answer = by.get(f"{path}/{what}")
            case "note":
                answer = by.get(noted.path)
            case "search":
                answer = by.post("/v1/clients/search", {"q": "Canarybird"})
            case _:
                answer = self._merge_or_part(by, mine, path, number)
        self.look(by, team, answer)

    def _merge_or_part(self, by: Member, mine: str, path: str, number: int) -> Response:
        """Merging makes one chart show several clients."""
        other = self.records[mine][(number + 1) % CLIENTS].client
        body = {"other_client_id": other, "reason": "The same person."}
        answer = by.post(f"{path}/merge", body)
        return answer if answer.status_code == 200 else by.post(f"{path}/unmerge")

    def teardown(self) -> None:
        """Every pair seen is a pair noted as allowed."""
        noted = {
            (entry["actor_id"], entry["client_id"])
            for team in (self.api.demo, self.api.harbor)
            for entry in self.api.accesses_since(team, self.before[team.slug])
            if entry["outcome"] == "allowed"
        }
        assert self.seen <= noted


def named(by: Member, canary: str) -> Noted:
    """A client and a note that nobody could mistake."""
    client = a_client(by, given_name="Canarybird", family_name=canary)
    return client_with_signed_note(by, client, plan=f"Plan for {canary}.")


def test_every_look_is_found_in_the_log(api: Api) -> None:
    records = {
        team.slug: [named(team.clinician, f"C{uuid4().hex}") for _ in range(CLIENTS)]
        for team in (api.demo, api.harbor)
    }
    canaries = {
        one.client: done(team.clinician.get(f"/v1/clients/{one.client}"))["family_name"]
        for team in (api.demo, api.harbor)
        for one in records[team.slug]
    }

    class Machine(Reading):
        """The same over this application."""

    Machine.api, Machine.records, Machine.canaries = api, records, canaries
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=SEQUENCES, stateful_step_count=8, deadline=None)
    )
