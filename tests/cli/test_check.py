"""`harness check`: one seed here and in fresh processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Harness = Callable[..., CompletedProcess[str]]

PROGRAM = """
import anthropic


async def ask(text):
    client = anthropic.AsyncAnthropic(max_retries=0)
    message = await client.messages.create(
        model="claude-sonnet-5", max_tokens=9, system="You are a helper.", messages=[{"role": "user", "content": text}]
    )
    return message.content[0].text


async def good(question):
    return await ask(question)


async def by_set(question):
    return await ask(" ".join({"apple", "pear", "fig", "plum", "kiwi"}))
"""
SCENARIO = """
scenario: checked
seed: 4
workload: {{tasks: 2, arrivals: {{every_s: 2}}, kinds: [{{kind: question, text: "What of the sun?"}}]}}
target: {module}:{name}
providers: {{anthropic: {{}}}}
models: {{deep: {{provider: anthropic, name: claude-sonnet-5}}}}
agents: {{helper: {{match: {{system: "*helper*"}}}}}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario file of one of the functions of the program."""

    def write(name: str) -> Path:
        module = f"checked_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(PROGRAM)
        file = tmp_path / "scenario.yaml"
        file.write_text(SCENARIO.format(module=module, name=name))
        return file

    return write


def test_program_that_depends_on_the_seed_alone_passes(
    harness: Harness, scenario: Callable[[str], Path]
) -> None:
    done = harness("check", scenario("good"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("seed 4 gives one execution: 5 runs are the same")
    assert "2 calls" in done.stdout


def test_order_of_a_set_fails_with_its_cause(
    harness: Harness, scenario: Callable[[str], Path]
) -> None:
    done = harness("check", scenario("by_set"), "--seed", "2")
    assert done.returncode == 1
    assert "Probable cause: the order of a set" in done.stdout
    assert "prompt of call 1 (agent 'helper', task 1, at 0.000000 s)" in done.stdout


def test_wrong_file_is_a_usage_error(harness: Harness, tmp_path: Path) -> None:
    done = harness("check", tmp_path / "none.yaml")
    assert (done.returncode, done.stdout) == (2, "")
