"""What is offered for continuous integration: files that parse, and commands that the command line knows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from harness import pytest_plugin
from harness.cli.app import cli
from harness.gate import parse_limit

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
WORKFLOW, STEPS, GITLAB, PRE_COMMIT = BLOCKS
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
)


def commands(program: str) -> Iterator[list[str]]:
    """The words after a program's name wherever the page says what to type."""
    blocks = re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    for text in [*lines, *re.findall(r"`([^`]+)`", prose)]:
        said = re.match(rf"\s*(?:- )?(?:run: )?{program} ([^>]*)", " ".join(text.split()))
        if said is not None:
            yield shlex.split(said[1], comments=True)


HARNESS = [words for words in commands("harness") if words[0] != "gate" or len(words) > 1]


@pytest.mark.parametrize("words", HARNESS, ids=" ".join)
def test_every_command_of_the_page_is_one_that_the_command_line_knows(words: list[str]) -> None:
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    context = command.make_context(command.name, words)
    for limit in context.params.get("limits", ()):
        parse_limit(limit)


def test_the_page_has_commands() -> None:
    names = {" ".join(words[:2]) if words[0] == "baseline" else words[0] for words in HARNESS}
    assert names == {"gate", "baseline save", "baseline show"}


def test_every_option_of_pytest_is_one_that_the_plugin_knows() -> None:
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    known = {
        name for group in parser._groups for option in group.options for name in option.names()
    }
    used = set(re.findall(r"--sim[a-z-]*", PAGE))
    assert used
    assert used <= known


# -- GitHub, GitLab, pre-commit ---------------------------------------------------------------------------------------


def test_workflow_fetches_the_history_and_only_reads() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    checkout = WORKFLOW["jobs"]["gate"]["steps"][0]
    assert checkout["with"]["fetch-depth"] == STEPS[0]["with"]["fetch-depth"] == 0


def test_step_of_the_page_states_inputs_of_the_action() -> None:
    assert set(ACTION["inputs"]) == {"scenario", "base", "baseline", "limit", "python-version"}
    stated = STEPS[1]["with"]
    assert set(stated) <= set(ACTION["inputs"])
    needed = {name for name, said in ACTION["inputs"].items() if said.get("required")}
    assert needed <= set(stated)


def test_gitlab_keeps_the_report_of_a_failed_gate() -> None:
    gate = GITLAB["gate"]
    assert gate["artifacts"]["when"] == "always"
    assert gate["artifacts"]["reports"]["junit"] in gate["script"][-1]


def test_action_takes_no_input_into_the_text_of_a_script() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert scripts
    assert not any("${{" in script for script in scripts)
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"] if "run" in step)


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        ({"BASE": "origin/main"}, ["--base", "origin/main"]),
        ({"BASELINE": "a b.json"}, ["--baseline", "a b.json"]),
        (
            {"BASE": "main", "LIMIT": "latency_s_p95=10%  retries=2%\ncalls_mean=0%\n"},
            [
                "--base",
                "main",
                "--limit",
                "latency_s_p95=10%",
                "--limit",
                "retries=2%",
                "--limit",
                "calls_mean=0%",
            ],
        ),
        ({"BASE": "$(touch x); `touch y`"}, ["--base", "$(touch x); `touch y`"]),
    ],
)
def test_script_of_the_action_gives_its_inputs_to_the_gate(
    tmp_path: Path, inputs: dict[str, str], options: list[str]
) -> None:
    step = ACTION["runs"]["steps"][-1]
    fake = tmp_path / "python"
    fake.write_text(f'#!{sys.executable}\nimport sys\nprint(*sys.argv[1:], sep="\\n")\n')
    fake.chmod(0o755)
    given = {"SCENARIO": "my scenario.yaml", "BASE": "", "BASELINE": "", "LIMIT": "", **inputs}
    assert set(step["env"]) == set(given)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env={**given, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    _, module, *words = done.stdout.splitlines()
    assert module == "harness"
    assert words == ["gate", "my scenario.yaml", "--format", "github", *options]
    cli.commands["gate"].make_context("gate", words[1:])
    assert [path.name for path in tmp_path.iterdir()] == ["python"]


def test_hooks_are_complete_and_their_commands_known() -> None:
    assert [hook["id"] for hook in HOOKS] == [
        "harness-validate",
        "harness-cassettes",
        "harness-gate",
    ]
    for hook in HOOKS:
        program, name, *_ = hook["entry"].split()
        assert (program, hook["language"]) == ("harness", "python")
        assert name in cli.commands
        re.compile(hook["files"])
    assert re.search(HOOKS[0]["files"], "scenarios/support.yaml")
    assert not re.search(HOOKS[0]["files"], "docs/config.yaml")


def test_hooks_of_the_page_exist_and_their_arguments_are_known() -> None:
    offered = {hook["id"]: hook for hook in HOOKS}
    for hook in PRE_COMMIT["repos"][0]["hooks"]:
        _, name = offered[hook["id"]]["entry"].split()
        words = hook.get("args", ["scenarios/support.yaml"])
        cli.commands[name].make_context(name, list(words))
