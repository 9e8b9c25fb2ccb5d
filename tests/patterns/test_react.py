"""What reasoning and acting goes wrong on: results that the agent does not expect, and rules that it has long forgotten."""

from __future__ import annotations

import pytest

from harness.models import Reply, ToolCall
from harness.patterns.react import React
from harness.provider.tokens import count_tokens
from harness.spans import CALL, TASK, TOOL
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import Kitchen, Speaker, Stage

RULES = "Never delete."
LOOK = Reply("let me see", (ToolCall("look", {}),), 10)


def prompts(**settings: int | str) -> list[str]:
    """What an agent that looks four times hears."""
    stage = Stage({"look": Kitchen(1.0, "full")}, a=Speaker(1.0, LOOK, LOOK, LOOK, LOOK, "done"))
    stage.play(React(agent="a", **settings))  # type: ignore[arg-type]  # its fields
    return stage.speakers["a"].prompts


def test_constraints_are_heard_once_with_the_task() -> None:
    assert prompts(constraints=RULES) == [f"the task\n\n{RULES}", "full", "full", "full", "full"]


@pytest.mark.parametrize(("every", "reminded"), [(1, [1, 2, 3, 4]), (2, [2, 4]), (3, [3]), (5, [])])
def test_constraints_are_heard_again_after_every_k_calls(every: int, reminded: list[int]) -> None:
    heard = prompts(constraints=RULES, remind_every=every)
    assert [place for place in range(1, 5) if heard[place] == f"full\n\n{RULES}"] == reminded


def test_reminder_is_read_and_paid_with_the_rest_of_the_conversation() -> None:
    stage = Stage({"look": Kitchen(1.0, "full")}, a=Speaker(1.0, LOOK, "done"))
    stage.play(React(agent="a", constraints=RULES, remind_every=1))
    size = count_tokens(RULES)
    assert stage.speakers["a"].input_tokens == [100 + size, 100 + size + 10 + 1 + size]


def test_reminder_without_constraints_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^without `constraints` there is nothing to be reminded"):
        React(agent="a", remind_every=2)


def test_agent_that_does_not_expect_a_result_asks_for_it_up_to_the_cap() -> None:
    result = simulated("react_loop")
    endings = set(rows(result, TASK, "name", "error"))
    assert endings == {("library", ""), ("archive", "IterationCapReached")}
    kinds = dict(rows(result, TASK, "task", "name"))
    calls = [kinds[task] for (task,) in rows(result, CALL, "task")]
    uses = [name for (name,) in rows(result, TOOL, "name")]
    for kind, calls_each, uses_each in (("library", 2, 1), ("archive", 6, 6)):
        tasks = list(kinds.values()).count(kind)
        assert (calls.count(kind), uses.count(kind)) == (calls_each * tasks, uses_each * tasks)


def test_agent_breaks_the_rule_that_it_heard_long_ago_unless_it_is_reminded() -> None:
    def used(*overrides: str) -> set[str]:
        return {name for (name,) in rows(simulated("react_drift", *overrides), TOOL, "name")}

    assert used() == {"look", "delete"}
    assert used("pattern.react.remind_every=1") == {"look"}
    assert used("pattern.react.remind_every=2") == {"look", "delete"}  # too late
