"""Agents that read the very same messages again and again are stopped, and the repeating messages are named."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from harness.agents.progress import REPEATS_MAX, NoProgress, Progress
from harness.metrics.because import because
from harness.run import RunResult, Simulation


def revising(drafts: int) -> RunResult:
    agents = {
        "writer": {"model": "fast", "output_tokens": 20},
        "critic": {"model": "fast", "output_tokens": 5},
    }
    spec = {
        "scenario": "revising",
        "workload": {"tasks": 2, "arrivals": {"every_s": 60}},
        "providers": {"p": {}},
        "models": {
            "fast": {"provider": "p", "name": "m", "latency": {"ttft_s": 1, "itl_s": 0.01}}
        },
        "agents": {
            name: {**it, "stub": "revising.yaml"} for name, it in agents.items()
        },
        "pattern": {"refine": {"generator": "writer", "critic": "critic", "max_drafts": drafts}},
    }  # fmt: skip
    return Simulation.from_spec(spec).run(1)


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("revising.yaml").write_text(
        "agents:\n"
        "  writer: {replies: [The draft of Ulm.], when_exhausted: repeat}\n"
        "  critic: {replies: [Not good enough.], when_exhausted: repeat}\n",
        encoding="utf-8",
    )


def test_critics_that_revise_for_ever_are_stopped_and_named() -> None:
    run = revising(500)
    told = [detail for name, detail in run.events.rows("name", "detail") if name == "no_progress"]
    assert len(told) == 2
    assert 'critic: "' in told[0]
    assert told[0].endswith(f"for the {REPEATS_MAX + 1}th time")
    assert "no_progress" in because([run.spans], "success_rate")


def test_a_bounded_loop_is_left_alone() -> None:
    run = revising(4)
    assert "no_progress" not in run.events.texts


def play(progress: Progress, rounds: int) -> None:
    for _ in range(rounds):
        for reader, sender, text in (("b", "a", "ping"), ("a", "b", "pong")):
            progress.end(progress.begin(reader, ((sender, text),)))


def test_the_repeating_messages_of_a_ping_pong_are_named() -> None:
    with pytest.raises(NoProgress) as caught:
        play(Progress(), 100)
    assert caught.value.cycle == 'a > b: "ping", b > a: "pong", for the 11th time'
    assert pickle.loads(pickle.dumps(caught.value)).cycle == caught.value.cycle


def test_equal_turns_side_by_side_count_as_one() -> None:
    progress = Progress()
    keys = [progress.begin("voter", (("user", "Ulm?"),)) for _ in range(50)]
    for key in keys:
        progress.end(key)
    progress.end(progress.begin("voter", (("user", "Ulm?"),)))


def test_a_conversation_that_goes_on_is_progress() -> None:
    progress = Progress()
    for number in range(1000):
        progress.end(progress.begin("writer", (("critic", f"remark {number}"),)))
