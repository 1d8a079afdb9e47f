"""Does a measurement say what it could not measure, and add up what it could?"""

from pathlib import Path

import pytest

from deploy.bench.append import OURS, PEERS, WRITERS, latencies, per_second, ratio, table
from deploy.bench.cells import Cell, Share, cell_of, threads
from deploy.bench.contenders import message_db
from deploy.bench.peers import HERE, Unavailable, fetched
from deploy.bench.where import Where
from deploy.refusal import Refusal
from domain.kernel.ids import ActorId
from record.ids import SYSTEM


def test_a_cell_counts_and_ranks() -> None:
    cell = cell_of(2.0, [0.001 * number for number in range(1, 201)])
    assert [cell.per_second, cell.p50_ms, cell.p99_ms] == pytest.approx([100, 101, 199])
    with pytest.raises(Refusal, match="take more --seconds"):
        cell_of(2.0, [])


def test_a_peer_that_cannot_be_fetched_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(Unavailable, match="npm ci"):
        fetched(tmp_path)


def test_the_table_leaves_nobody_out() -> None:
    cells = {
        name: {writers: Cell(100.0 * writers, 1.0, 2.5) for writers in WRITERS}
        for name in (*OURS, *PEERS)
        if name != "emmett"
    }
    rates = {name: per_second(one) for name, one in cells.items()}
    found = {
        "ours": {name: rates.pop(name) for name in OURS},
        **rates,
        "emmett": "unavailable: npm ci failed",
        "ratios": {name: {"pgbench": ratio(cells, name, "pgbench")} for name in OURS},
        "latency_ms": {name: latencies(one) for name, one in cells.items()},
    }
    lines = table(found).splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in (*OURS, *PEERS))
    assert "emmett                    unavailable: npm ci failed" in lines
    assert any("6,400 [1.0/2.5]" in line for line in lines)


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert '"resolved"' not in (HERE / "package-lock.json").read_text()


def test_a_writer_that_fails_ends_the_measurement(capfd: pytest.CaptureFixture[str]) -> None:
    nowhere = Where("host=/nowhere", "host=/nowhere", b"", (), ActorId(SYSTEM))
    with pytest.raises(Refusal, match="failed"):
        threads(message_db, nowhere, [Share(0, 1, 1)], 0.2)
    assert "OperationalError" in capfd.readouterr().err
