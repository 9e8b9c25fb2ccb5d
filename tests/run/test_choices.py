"""One choice of a run is overridden, and nothing else changes; what was chosen is on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import Choices, HarnessError, Simulation
from harness.faults import FAULTS, InjectedFault
from harness.run import RunResult
from harness.spans import as_json_lines

HOUSE = Path(__file__).parents[2]
SCENARIOS = ["code_review", "tool_agent", "overload"]


def simulation(name: str = "code_review", *overrides: str) -> Simulation:
    return Simulation(HOUSE / f"scenarios/{name}.yaml", overrides=["workload.tasks=3", *overrides])


def attempts(result: RunResult) -> dict[tuple[int, str, int, int], tuple[float, str]]:
    """Service time and error of each attempt, by task, agent, call and attempt."""
    columns = (
        "kind",
        "span_id",
        "parent_id",
        "task",
        "agent",
        "ordinal",
        "start_s",
        "end_s",
        "error",
    )
    rows = list(result.spans.rows(*columns))
    ordinals = {row[1]: row[5] for row in rows}
    return {
        (task, agent, ordinals[parent], ordinal): (end_s - start_s, error)
        for kind, _, parent, task, agent, ordinal, start_s, end_s, error in rows
        if kind == "attempt"
    }


def test_one_override_of_one_draw_changes_one_latency_and_nothing_else() -> None:
    plain = simulation()
    seen = Choices()
    before = plain.run(1, choices=seen)
    key = next(key for key in seen.made if key[0] == "draw" and key[-1] == "ttft")
    after = plain.run(1, choices=Choices({key: 0.999}))
    task, agent, call, attempt = key[1].split("/")
    changed = {
        which
        for which, (service_s, error) in attempts(before).items()
        if (round(attempts(after)[which][0], 9), attempts(after)[which][1])
        != (round(service_s, 9), error)
    }
    assert attempts(before).keys() == attempts(after).keys()
    assert changed == {(int(task), agent, int(call), int(attempt))}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_that_is_watched_is_the_run_that_nobody_watches(name: str) -> None:
    plain, watched = simulation(name).run(3), simulation(name).run(3, choices=Choices())
    assert as_json_lines(watched.spans) == as_json_lines(plain.spans)
    assert as_json_lines(watched.events) == as_json_lines(plain.events)


def test_overriding_every_choice_with_what_it_was_changes_nothing() -> None:
    seen = Choices()
    plain = simulation().run(1, choices=seen)
    again = Choices(seen.made)
    replayed = simulation().run(2, choices=again)
    assert as_json_lines(replayed.spans) == as_json_lines(plain.spans)
    assert not again.unmet


def fault(kind: str, **fields: object) -> InjectedFault:
    return FAULTS[kind](**fields)  # type: ignore[arg-type]  # the fields of that kind


def first_attempt(seen: Choices) -> tuple[str, ...]:
    return next(key for key in seen.made if key[0] == "attempt")


def overridden(*faults: InjectedFault) -> tuple[float, str]:
    """Service time and error of the first attempt under some faults."""
    seen = Choices()
    simulation().run(1, choices=seen)
    key = first_attempt(seen)
    result = simulation().run(1, choices=Choices({key: faults}))
    task, agent, call = key[1].split("/")
    return attempts(result)[int(task), agent, int(call), int(key[2])]


def test_an_attempt_can_be_told_how_long_it_takes_or_when_it_ends() -> None:
    assert overridden(fault("takes", for_s=12.5)) == (12.5, "")
    assert overridden(fault("ends_at", at_s=0.001)) == (0.0, "")


def test_an_attempt_can_be_late_and_then_fail() -> None:
    seen = Choices()
    simulation().run(1, choices=seen)
    late, refused = fault("takes", for_s=7.0), fault("overloaded")
    result = simulation().run(1, choices=Choices({first_attempt(seen): (late, refused)}))
    kinds = ("kind", "arrival_s", "end_s", "error", "fault")
    row = next(row for row in result.spans.rows(*kinds) if row[3] == "overloaded_error")
    _, arrival_s, end_s, _, met = row
    assert end_s - arrival_s == pytest.approx(7.0)
    assert met == "takes+overloaded"


def test_faults_of_a_plan_add_up_where_the_first_continues() -> None:
    late = "{takes: {agent: lead, call: 1, attempt: 1, for_s: 7, continues: true}}"
    result = simulation("code_review", f"faults=[{late}, {{overloaded: {{attempt: 1}}}}]").run(1)
    met = [row[0] for row in result.spans.rows("fault") if row[0]]
    assert met[0] == "takes+overloaded"
    assert set(met[1:]) == {"overloaded"}


def test_an_override_that_never_comes_up_is_named_with_the_nearest_that_does() -> None:
    choices = Choices({("draw", "1/lead/1/1", "ttf"): 0.5})
    simulation().run(1, choices=choices)
    assert choices.unmet == (("draw", "1/lead/1/1", "ttf"),)
    with pytest.raises(HarnessError, match="ttft"):
        choices.check_met()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (("drow", "x"), 0.5),
        (("draw", "x"), 0.0),
        (("draw", "x"), True),
        (("timer", "main", "sleep", "1"), -1.0),
        (("cancel", "main"), float("nan")),
        ("draw", 0.5),
    ],
)
def test_an_override_that_means_nothing_is_refused_at_once(
    key: tuple[str, ...], value: object
) -> None:
    with pytest.raises(HarnessError):
        Choices({key: value})


def test_an_attempt_can_meet_nothing_but_faults() -> None:
    seen = Choices()
    simulation().run(1, choices=seen)
    with pytest.raises(HarnessError, match="is not a fault"):
        simulation().run(1, choices=Choices({first_attempt(seen): ["overloaded"]}))


def test_tasks_of_the_workload_and_their_timers_are_on_record() -> None:
    seen = Choices()
    simulation().run(1, choices=seen)
    assert {"task 1", "task 2", "task 3"} <= {record.path for record in seen.tasks}
    assert all(record.ended_s is not None for record in seen.tasks)
    assert {record.task.partition("/")[0] for record in seen.timers} >= {"task 1"}
