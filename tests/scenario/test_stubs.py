"""A file of replies becomes the script of an agent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.models import Line, Reply, Script, ToolCall
from harness.scenario import LoadedScenario, load_scenario

Write = Callable[[str, str], str]

BASE = Path(__file__).with_name("base.yaml").read_text(encoding="utf-8")
FILE = "scenario.yaml"
STUB = "replies.yaml"


def load(text: str, *overrides: str) -> LoadedScenario:
    Path(FILE).write_text(text, encoding="utf-8")
    return load_scenario(FILE, overrides=overrides)


def script(stub: str) -> Script:
    Path(STUB).write_text(stub, encoding="utf-8")
    return load(
        BASE.replace("writer: {model: fast,", f"writer: {{model: fast, stub: {STUB},")
    ).scripts["writer"]


def test_fixed_reply_answers_everything() -> None:
    assert script("agents: {writer: {reply: hello}}") == Script(
        agent="writer", lines=(Line(reply=Reply("hello"), place=f"{STUB}:1"),), in_order=False
    )


def test_replies_stand_in_order_with_their_lines() -> None:
    stub = """\
agents:
  writer:
    replies:
      - first
      - {text: second}
    when_exhausted: cycle
    allow_unused: true
"""
    assert script(stub) == Script(
        agent="writer",
        lines=(
            Line(reply=Reply("first"), place=f"{STUB}:4"),
            Line(reply=Reply("second"), place=f"{STUB}:5"),
        ),
        in_order=True,
        when_exhausted="cycle",
        allow_unused=True,
    )


def test_rules_keep_their_patterns() -> None:
    stub = """\
agents:
  writer:
    rules:
      - {prompt: "*moon*", reply: tides}
      - {prompt_regex: "^sun(ny)?", reply: heat}
      - {reply: nothing}
"""
    lines = script(stub).lines
    assert [(line.prompt, line.prompt_regex) for line in lines] == [
        ("*moon*", None),
        (None, "^sun(ny)?"),
        (None, None),
    ]
    assert [line.place for line in lines] == [f"{STUB}:{number}" for number in (4, 5, 6)]
    assert [line.answers("sunny days") for line in lines] == [False, True, True]


def test_reply_may_ask_for_tools() -> None:
    stub = "agents: {writer: {replies: [{text: wait, tool_calls: [{tool: search, arguments: {q: moon, deep: [1, {a: null}]}}, {tool: search}]}, done]}}"
    first, second = script(stub).lines
    assert first.reply == Reply(
        "wait",
        (
            ToolCall("search", {"q": "moon", "deep": [1, {"a": None}]}),
            ToolCall("search", {}),
        ),
    )
    assert second.reply == Reply("done")


def test_one_file_may_hold_the_replies_of_all_agents() -> None:
    Path(STUB).write_text("agents: {writer: {reply: w}, editor: {reply: e}, other: {reply: o}}")
    text = BASE.replace("{model: fast,", f"{{model: fast, stub: {STUB},")
    scripts = load(text).scripts
    assert {agent: one.lines[0].reply.text for agent, one in scripts.items()} == {
        "writer": "w",
        "editor": "e",
    }


def test_stub_may_be_a_function(written: Write) -> None:
    written("answers_of_loading.py", "def answer(request):\n    return request.prompt\n")
    text = BASE.replace(
        "writer: {model: fast,", "writer: {model: fast, stub: 'answers_of_loading:answer',"
    )
    scenario = load(text)
    assert scenario.spec.agents["writer"].stub == "answers_of_loading:answer"
    assert scenario.scripts == {}
