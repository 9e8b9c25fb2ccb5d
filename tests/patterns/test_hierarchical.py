"""Managers of managers: what goes down, what comes up, and what is lost between."""

from __future__ import annotations

import pytest

from harness.models import ModelError
from harness.patterns.hierarchical import AnyReport, Branch, Hierarchical, NotEnoughItems
from harness.run import RunResult
from harness.spans import AGENT
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import FAILURE, Speaker, Stage


def firm(**more: Speaker) -> Stage:
    speakers = {
        "top": Speaker(1.0, "go", "all"),
        "left": Speaker(1.0, "l", "L"),
        "a": Speaker(1.0, "A"),
        "b": Speaker(2.0, "B"),
        "c": Speaker(1.0, "C"),
    }
    return Stage(**{**speakers, **more})


TREE = {"manager": "top", "reports": (Branch(manager="left", reports=("a", "b")), "c")}


def test_task_goes_down_level_by_level_and_results_come_up() -> None:
    stage = firm()
    assert stage.play(Hierarchical(**TREE)).text == "all"  # type: ignore[arg-type]  # its fields
    assert {name: speaker.prompts for name, speaker in stage.speakers.items()} == {
        "top": ["the task", "L\n\nC"], "left": ["go", "A\n\nB"], "a": ["l"], "b": ["l"], "c": ["go"],
    }  # fmt: skip
    assert stage.kernel.now_s() == 1 + (1 + 2 + 1) + 1


def test_task_may_be_passed_on_with_the_plan() -> None:
    stage = firm()
    stage.play(Hierarchical(**TREE, passes="task_and_plan"))  # type: ignore[arg-type]  # its fields
    assert stage.speakers["a"].prompts == ["the task\n\ngo\n\nl"]


def test_plan_may_be_split_among_the_reports() -> None:
    stage = firm(top=Speaker(1.0, "1. x 2. y", "all"), left=Speaker(1.0, "- m\n- n", "L"))
    stage.play(Hierarchical(**TREE, split=True))  # type: ignore[arg-type]  # its fields
    prompts = {name: stage.speakers[name].prompts[0] for name in ("left", "a", "b", "c")}
    assert prompts == {"left": "x", "a": "m", "b": "n", "c": "y"}


def test_plan_with_another_number_of_items_fails_the_task() -> None:
    stage = firm(top=Speaker(1.0, "1. x 2. y 3. z"))
    with pytest.raises(NotEnoughItems, match="top has 3 items for 2 reports"):
        stage.play(Hierarchical(**TREE, split=True))  # type: ignore[arg-type]  # its fields


def test_failure_below_fails_all_above_and_cancels_the_others() -> None:
    stage = firm(a=Speaker(1.0, FAILURE))
    with pytest.raises(ModelError):
        stage.play(Hierarchical(**TREE))  # type: ignore[arg-type]  # its fields
    assert ("b", 2.0, 3.0, "cancelled") in stage.turns()


def test_manager_sums_up_without_a_report_that_failed() -> None:
    stage = firm(a=Speaker(1.0, FAILURE))
    stage.play(Hierarchical(**TREE, on_failure="partial"))  # type: ignore[arg-type]  # its fields
    assert stage.speakers["left"].prompts[1] == "B"
    alone = firm(a=Speaker(1.0, FAILURE), b=Speaker(1.0, FAILURE))
    alone.play(Hierarchical(**TREE, on_failure="partial"))  # type: ignore[arg-type]  # its fields
    assert alone.speakers["top"].prompts[1] == "C"


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_each_level_adds_two_calls_and_two_messages_to_the_way_of_a_task(depth: int) -> None:
    report: AnyReport = "a"
    for _ in range(depth - 1):
        report = Branch(manager="left", reports=(report,))
    stage = firm(left=Speaker(1.0, "l"), top=Speaker(1.0, "t"))
    answer = stage.play(Hierarchical(manager="top", reports=(report,)))
    assert stage.kernel.now_s() == 2 * depth + 1
    assert len(stage.messages()) == 1 + 2 * depth
    assert answer.hop == 2 * depth + 1


# -- scenarios --------------------------------------------------------------------------------------


def test_two_levels_are_audited_and_messages_grow_with_the_tree() -> None:
    result = simulated("hierarchical_lost_detail")
    edges = 2 + 4
    assert metrics_of(result)["messages_mean"] == 2 * edges + 1
    assert metrics_of(result)["calls_mean"] == 2 * 3 + 4
    assert len(rows(result, AGENT, "agent")) == 10 * result.tally.tasks


def test_middle_layer_loses_the_detail_that_is_not_in_its_own_plan() -> None:
    def tokens_read(name: str) -> float:
        return metrics_of(simulated(name))["message_tokens_mean"]

    kept, lost = simulated("hierarchical"), simulated("hierarchical_lost_detail")

    def of_top(result: RunResult) -> set[int]:
        """Sizes of what the director says in the end: longer if it heard of the safe."""
        events = result.events.rows("name", "agent", "recipient", "tokens")
        return {row[3] for row in events if row[:3] == ("message", "director", "user")}

    assert (of_top(kept), of_top(lost)) == ({6}, {2})
    assert tokens_read("hierarchical") > tokens_read("hierarchical_lost_detail")
