"""Context management clears what is old before the model reads it, and says so."""

# ruff: noqa: ANN401 - SDK objects are anything
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from harness.sim import Sim

BETA = "context-management-2025-06-27"
TOOLS = [{"name": "look", "input_schema": {"type": "object"}}]
EDIT = {
    "type": "clear_tool_uses_20250919",
    "trigger": {"type": "tool_uses", "value": 2},
    "keep": {"type": "tool_uses", "value": 1},
}


def used(times: int) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    for number in range(times):
        use = {"type": "tool_use", "id": f"t{number}", "name": "look", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "found " * 200}
        said.append({"role": "assistant", "content": [use]})
        said.append({"role": "user", "content": [result]})
    return said


def asking(messages: list[dict[str, Any]], *edits: dict[str, Any]) -> Callable[[], Any]:
    async def program() -> object:
        asked: Any = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": messages}
        asked |= {"tools": TOOLS, "context_management": {"edits": edits}, "betas": [BETA]}
        return await anthropic.AsyncAnthropic(api_key="k").beta.messages.create(**asked)

    return program


def test_results_of_old_uses_are_cleared(sim: Sim) -> None:
    sim.agent("a", reply="done")
    whole = sim.run(asking(used(4))).output
    assert whole.context_management.applied_edits == []
    run = sim.run(asking(used(4), EDIT))
    (edit,) = run.output.context_management.applied_edits
    assert edit.cleared_tool_uses == 3
    saved = whole.usage.input_tokens - run.output.usage.input_tokens
    assert edit.cleared_input_tokens == saved > 800
    assert run.calls()[0].attempts[0].input_tokens == run.output.usage.input_tokens


@pytest.mark.parametrize(
    ("times", "more"),
    [
        (2, {}),
        (4, {"exclude_tools": ["look"]}),
        (4, {"clear_at_least": {"type": "input_tokens", "value": 50_000}}),
        (4, {"trigger": {"type": "input_tokens", "value": 50_000}}),
    ],
)
def test_nothing_is_cleared_below_the_trigger(sim: Sim, times: int, more: dict[str, Any]) -> None:
    sim.agent("a", reply="done")
    answer = sim.run(asking(used(times), {**EDIT, **more})).output
    assert answer.context_management.applied_edits == []


def test_thoughts_of_earlier_turns_are_cleared(sim: Sim) -> None:
    sim.agent("a", reply="done")
    said: list[dict[str, Any]] = []
    for _ in range(3):
        thought = {"type": "thinking", "thinking": "hm " * 100, "signature": "E"}
        spoken = {"role": "assistant", "content": [thought, {"type": "text", "text": "ok"}]}
        said += [{"role": "user", "content": "go"}, spoken]
    said.append({"role": "user", "content": "go"})
    (edit,) = sim.run(
        asking(said, {"type": "clear_thinking_20251015"})
    ).output.context_management.applied_edits
    assert edit.cleared_thinking_turns == 2


def test_count_tells_the_size_with_and_without(sim: Sim) -> None:
    async def program() -> Any:
        counting: Any = anthropic.AsyncAnthropic(api_key="k").beta.messages.count_tokens
        return await counting(
            model="claude-haiku-4-5",
            messages=used(4),
            tools=TOOLS,
            context_management={"edits": [EDIT]},
            betas=[BETA],
        )

    counted = sim.run(program).output
    assert counted.context_management.original_input_tokens > counted.input_tokens + 800


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({}, "context_management.edits.0: Unable to extract tag"),
        ({"type": "x"}, "context_management.edits.0: Input tag 'x'"),
        ({**EDIT, "keep": {"value": "1"}}, "keep.value: Input should be a valid integer"),
        ({**EDIT, "trigger": 1}, "trigger: Input should be a valid dictionary"),
    ],
)
def test_edit_that_is_none_is_refused(bench: Any, edit: dict[str, Any], words: str) -> None:
    body = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": used(3), "tools": TOOLS}
    asked = {**body, "context_management": {"edits": [edit]}}
    assert words in bench.error(asked, headers={"anthropic-beta": BETA})[2]
