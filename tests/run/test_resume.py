"""Runs that are killed at any of their events, or in the middle of keeping something, and resumed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from harness.agents import Effect
from harness.errors import HarnessError
from harness.kernel.stopping import Killed
from harness.resilience import Memory, Storage
from harness.run import RunResult, Simulation
from harness.spans import ATTEMPT, CALL, TASK, as_json_lines

SCENARIOS = Path(__file__).parents[2] / "scenarios"
QUOTA_DECIDES = "lockstep"
"""Whether its tasks succeed depends on what is left of a quota, and a provider's bucket is full again in a resumed run."""

SHIPPED = sorted(
    it.stem
    for it in SCENARIOS.glob("*.yaml")
    if "azure" not in it.name
    and it.stem != QUOTA_DECIDES
    and "\ntarget:" not in it.read_text(encoding="utf-8")  # a program keeps its progress by itself
)

HEAD = """
scenario: {name}
workload: {{tasks: {tasks}, arrivals: {arrivals}}}
providers: {{p: {provider}}}
models: {{m: {{provider: p, name: m, latency: {{ttft_s: {{lognormal: {{median: 1, sigma: 0.8}}}}, itl_s: 0.01}}}}}}
tools:
  book: {{latency_s: {{exponential: {{mean: 2}}}}, result: booked, failure_probability: 0.2}}
  mail: {{latency_s: 0, result: sent}}
  look: {{latency_s: 1, result: found}}
"""

REACT = """
agents: {a: {model: m, stub: stub.yaml, tools: [book, mail, look]}}
pattern: {react: {agent: a}}
"""

TEAM = """
agents:
  lead: {model: m}
  one: {model: m}
  two: {model: m}
pattern: {orchestrator_worker: {orchestrator: lead, workers: [one, two, one], synthesizer: lead, on_failure: partial}}
policies: {default: {timeout_s: 4, retry: {attempts: 2}}, agents: {two: {fallback: one}}}
faults:
  - {hang: {agent: one, call: 2, for_s: 20}}
  - {overloaded: {probability: 0.3}}
"""

PIPELINE = """
agents: {a: {model: m}, b: {model: m, accuracy: 0.5}, c: {model: m}}
pattern: {pipeline: {stages: [a, b, c, a]}}
policies: {default: {deadline_s: 3}}
"""

STUB = """
agents:
  a:
    replies:
      - text: first
        tool_calls:
          - {tool: book, arguments: {seat: 1}}
          - {tool: book, arguments: {seat: 1}}
          - {tool: mail, arguments: {to: ann}}
      - {text: then, tool_calls: [{tool: mail, arguments: {to: ben}}, {tool: look, arguments: {}}]}
      - {text: then, tool_calls: [{tool: mail, arguments: {to: ann}}]}
      - done
"""

ONE_AFTER_ANOTHER = "{closed: {users: 1}}"
ALL_AT_ONCE = "{at_s: [0, 0, 0.5]}"


def scenario(
    folder: Path,
    body: str,
    *,
    tasks: int = 3,
    arrivals: str = ALL_AT_ONCE,
    provider: str = "{}",
    more: str = "",
) -> Simulation:
    (folder / "stub.yaml").write_text(STUB, encoding="utf-8")
    file = folder / "scenario.yaml"
    head = HEAD.format(name="s", tasks=tasks, arrivals=arrivals, provider=provider)
    file.write_text(head + body + more, encoding="utf-8")
    return Simulation(file)


def killed_everywhere(
    simulation: Simulation, seed: int
) -> Iterator[tuple[int, RunResult, RunResult]]:
    """Kill a run at each of its events, and resume it: the event, what was killed, and what came after."""
    for event in count(1):
        storage = Memory()
        killed = simulation.run(seed, checkpoint=storage, stop_at_event=event)
        if killed.status != "killed":
            assert event > 5, "the run had events"
            return
        yield event, killed, simulation.run(seed, checkpoint=storage)


def what(effects: tuple[Effect, ...]) -> Counter[tuple[str, str, str]]:
    return Counter((effect.tool, effect.arguments, effect.key.split("/")[0]) for effect in effects)


def tasks_of(result: RunResult) -> list[tuple[Any, ...]]:
    rows = result.spans.rows("kind", "task", "status", "error")
    return sorted(row[1:] for row in rows if row[0] == TASK)


def number_of(result: RunResult, kind: str) -> int:
    return list(result.spans.values("kind")).count(kind)


CASES = [
    pytest.param(REACT, {}, id="react with tools"),
    pytest.param(REACT, {"arrivals": ONE_AFTER_ANOTHER}, id="react, one task after another"),
    pytest.param(REACT, {"provider": "{concurrency: 1}"}, id="react, at a provider with one slot"),
    pytest.param(TEAM, {}, id="orchestrator and workers, with faults"),
    pytest.param(PIPELINE, {}, id="pipeline, with deadlines that pass"),
    pytest.param(
        PIPELINE,
        {"provider": "{limits: {requests_per_min: 8}}"},
        id="pipeline, at a provider with a rate limit",
    ),
]


@pytest.mark.parametrize(("body", "how"), CASES)
def test_run_killed_at_any_event_and_resumed_does_everything_once(
    body: str, how: dict[str, Any], tmp_path: Path
) -> None:
    simulation = scenario(tmp_path, body, **how)
    whole = simulation.run(3)
    for event, killed, resumed in killed_everywhere(simulation, 3):
        assert resumed.status == "done", event
        assert [task for task, *_ in tasks_of(resumed)] == [1, 2, 3], event
        assert set(what(resumed.effects).values()) <= set(what(whole.effects).values()), event
        assert what(resumed.effects) == what(whole.effects), event
        assert [e.key for e in resumed.effects[: len(killed.effects)]] == [
            e.key for e in killed.effects
        ], event


@pytest.mark.parametrize("body", [REACT, TEAM, PIPELINE])
def test_what_had_ended_is_not_asked_again(body: str, tmp_path: Path) -> None:
    simulation = scenario(tmp_path, body)
    whole = simulation.run(3)
    for event, killed, resumed in killed_everywhere(simulation, 3):
        assert number_of(resumed, CALL) == number_of(whole, CALL), event
        done = [row for row in killed.spans.rows("kind", "status") if row[0] == CALL]
        ended = sum(status != "cancelled" for _, status in done)
        # What had ended may not have been kept yet, by the turn of the loop in which it was killed.
        assert ended - resumed.restored.calls in (0, 1), event
        assert tasks_of(resumed) == tasks_of(whole), event


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_survive_a_crash_at_any_event(name: str) -> None:
    less = ["workload.tasks=2", "workload.warmup_tasks=0"]
    simulation = Simulation(SCENARIOS / f"{name}.yaml", overrides=less)
    whole = simulation.run(1)
    for event, _, resumed in killed_everywhere(simulation, 1):
        assert tasks_of(resumed) == tasks_of(whole), event
        assert what(resumed.effects) == what(whole.effects), event


def test_resumed_run_takes_the_same_way_at_the_same_times_until_it_was_killed(
    tmp_path: Path,
) -> None:
    simulation = scenario(tmp_path, REACT)
    whole = simulation.run(3)
    for event, _, resumed in killed_everywhere(simulation, 3):
        now = {
            row[:2]: row[2:] for row in resumed.spans.rows("kind", "span_id", "arrival_s", "end_s")
        }
        restored = {
            span for name, span in resumed.events.rows("name", "span_id") if name == "restored"
        }
        assert len(restored) == resumed.restored.calls, event
        before = set(whole.spans.rows("arrival_s", "end_s"))
        assert all(now["call", span] in before for span in restored), event


def test_run_is_killed_again_and_again_until_it_is_done(tmp_path: Path) -> None:
    for body in (REACT, TEAM, PIPELINE):
        simulation = scenario(tmp_path, body)
        whole = simulation.run(3)
        for step in (5, 7, 11, 16):
            storage, times = Memory(), 0
            while True:
                times += 1
                # Each time it gets a little further: an outcome at least is kept.
                result = simulation.run(3, checkpoint=storage, stop_at_event=times * step)
                if result.status == "done":
                    break
            assert times > 1
            assert what(result.effects) == what(whole.effects)
            assert tasks_of(result) == tasks_of(whole)


class Crash:
    """Storage in memory; the process dies before or after the n-th time that something is kept."""

    def __init__(self, at: int, *, before: bool) -> None:
        self.memory = Memory()
        self._left = at
        self._before = before

    def get(self, key: str) -> str | None:
        return self.memory.get(key)

    def put(self, key: str, value: str) -> None:
        self._left -= 1
        if self._left < 0 or (self._left == 0 and self._before):
            raise Killed
        self.memory.put(key, value)
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("body", [REACT, TEAM])
def test_process_may_die_whenever_something_is_kept(
    body: str, before: bool, tmp_path: Path
) -> None:
    simulation = scenario(tmp_path, body)
    whole = simulation.run(3)
    for at in count(1):
        storage = Crash(at, before=before)
        if simulation.run(3, checkpoint=storage).status != "killed":
            assert at > 10
            return
        resumed = simulation.run(3, checkpoint=storage.memory)
        assert what(resumed.effects) == what(whole.effects), at
        assert tasks_of(resumed) == tasks_of(whole), at


def test_functions_of_the_user_that_wait_are_killed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stubs_that_wait.py").write_text(
        "import time\ndef reply(request):\n    time.sleep(0.2)\n    return 'waited'\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    body = PIPELINE.replace("a: {model: m}", "a: {model: m, stub: 'stubs_that_wait:reply'}")
    simulation = scenario(tmp_path, body, tasks=2, arrivals="{at_s: [0, 0.5]}")
    whole = simulation.run(3)
    for event, _, resumed in killed_everywhere(simulation, 3):
        assert tasks_of(resumed) == tasks_of(whole), event


def test_far_end_that_does_not_know_keys_does_it_twice(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, REACT)
    simulation = Simulation(tmp_path / "scenario.yaml", overrides=["tools.book.idempotent=false"])
    whole = simulation.run(3)
    assert any(
        what(resumed.effects) != what(whole.effects)
        for _, _, resumed in killed_everywhere(simulation, 3)
    )


def test_uses_in_doubt_are_counted(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, REACT)
    doubts = [resumed.restored.in_doubt for _, _, resumed in killed_everywhere(simulation, 3)]
    assert max(doubts) > 0
    assert min(doubts) == 0


# -- what a checkpoint leaves as it is -----------------------------------------------------------------------------


@pytest.mark.parametrize("body", [REACT, TEAM, PIPELINE])
def test_spans_of_a_run_that_is_not_killed_are_those_without_a_checkpoint(
    body: str, tmp_path: Path
) -> None:
    simulation = scenario(tmp_path, body)
    without, with_it = simulation.run(3), simulation.run(3, checkpoint=Memory())
    assert as_json_lines(with_it.spans) == as_json_lines(without.spans)
    assert as_json_lines(with_it.events) == as_json_lines(without.events)
    assert with_it.effects == without.effects


def test_run_that_has_ended_begins_anew(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, REACT)
    storage = Memory()
    first, second = (simulation.run(3, checkpoint=storage) for _ in range(2))
    assert as_json_lines(first.spans) == as_json_lines(second.spans)
    assert first.effects == second.effects
    assert second.restored == (0, 0, 0)


def test_runs_of_other_seeds_and_scenarios_have_progress_of_their_own(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, REACT)
    storage = Memory()
    simulation.run(3, checkpoint=storage, stop_at_event=30)
    assert simulation.run(4, checkpoint=storage).restored == (0, 0, 0)
    other = Simulation(tmp_path / "scenario.yaml", overrides=["tools.look.result=lost"])
    assert other.run(3, checkpoint=storage).restored == (0, 0, 0)
    assert simulation.run(3, checkpoint=storage).restored.calls > 0


def test_resumed_run_is_the_same_each_time(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, TEAM)
    found = []
    for _ in range(2):
        storage = Memory()
        simulation.run(3, checkpoint=storage, stop_at_event=25)
        found.append(as_json_lines(simulation.run(3, checkpoint=storage).spans))
    assert found[0] == found[1]


def test_restored_calls_cost_nothing_again(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, PIPELINE)
    storage = Memory()
    killed = simulation.run(3, checkpoint=storage, stop_at_event=15)
    resumed = simulation.run(3, checkpoint=storage)
    whole = simulation.run(3)
    assert resumed.restored.calls > 0
    assert number_of(resumed, ATTEMPT) < number_of(whole, ATTEMPT)
    in_flight = sum(row == (ATTEMPT, "cancelled") for row in killed.spans.rows("kind", "status"))
    assert number_of(killed, ATTEMPT) + number_of(resumed, ATTEMPT) <= (
        number_of(whole, ATTEMPT) + in_flight + 1
    )


def test_restart_takes_its_time(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, PIPELINE, more="checkpoint: {restart_s: 100}")
    storage = Memory()
    simulation.run(3, checkpoint=storage, stop_at_event=15)
    assert simulation.run(3, checkpoint=storage).tally.makespan_s > 100


# -- mistakes ------------------------------------------------------------------------------------------------------


def test_task_that_ends_otherwise_than_before_is_told_of(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, PIPELINE, arrivals=ONE_AFTER_ANOTHER)
    storage = Memory()
    simulation.run(4, checkpoint=storage, stop_at_event=15)
    key, kept = next(it for it in storage.values.items() if '"task/1"' in it[1])
    storage.values[key] = json.dumps({**json.loads(kept), "answer": "other"})
    with pytest.raises(
        HarnessError, match="went another way: task 1 ended with 'a has done its"
    ) as told:
        simulation.run(4, checkpoint=storage)
    assert "and with 'other' before" in str(told.value)


@pytest.mark.parametrize("event", [0, -1])
def test_first_event_is_1(event: int, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="the first event of a run is 1"):
        scenario(tmp_path, REACT).run(3, stop_at_event=event)


def test_storage_of_a_user_needs_two_methods() -> None:
    class Mine:
        def get(self, key: str) -> str | None:
            return None

        def put(self, key: str, value: str) -> None:
            pass

    storage: Storage = Mine()
    result = Simulation(SCENARIOS / "pipeline.yaml").run(1, checkpoint=storage)
    assert result.status == "done"
