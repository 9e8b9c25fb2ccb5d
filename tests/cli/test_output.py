"""Texts from files and stubs never act on a terminal; pipes get plain text, and may close early."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]

HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x9b2J [bold]loud[/bold] :smile: \u202eback \r over"
"""Colours, a title, a cleared screen, markup, an emoji's name, writing backwards, and a line begun again."""

ACTING = ("\x1b", "\x07", "\x9b", "\u202e", "\r")


def yaml_text(text: str) -> str:
    return json.dumps(text)  # a JSON text is a YAML text, with the control characters escaped


def on_a_terminal(*words: str) -> tuple[int, str]:
    """Run the program with a terminal of a hundred columns, and give what it shows."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        environment.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(screen, 65_536):
                shown += chunk
        except OSError:  # Linux says that the terminal is gone in this way
            pass
        os.close(screen)
        return process.wait(), shown.decode()


# -- hostile texts ----------------------------------------------------------------------------------


def test_hostile_description_is_shown_and_does_nothing(harness: Cli) -> None:
    Path("scenario.yaml").write_text(
        Path("scenario.yaml").read_text() + f"description: {yaml_text(HOSTILE)}\n", encoding="utf-8"
    )
    result = harness("simulate", "scenario.yaml")
    assert result.returncode == 0
    assert not [char for char in ACTING if char in result.stdout]
    assert "?[31mred?]0;title? ?2J [bold]loud[/bold] :smile: ?back ? over" in result.stdout


def test_texts_in_other_scripts_and_several_lines_stay_as_they_are(harness: Cli) -> None:
    description = "Größe: 模型\u3000测试\nsecond line"
    Path("scenario.yaml").write_text(
        Path("scenario.yaml").read_text(encoding="utf-8")
        + f"description: {yaml_text(description)}\n",
        encoding="utf-8",
    )
    assert description in harness("simulate", "scenario.yaml").stdout


def test_hostile_stub_is_shown_and_does_nothing(harness: Cli) -> None:
    reply = yaml_text(HOSTILE)
    Path("replies.yaml").write_text(
        f"agents: {{writer: {{replies: [{{text: {reply}, tool_calls: [{{tool: {reply}}}]}}, {reply}, {reply}]}}}}\n",
        encoding="utf-8",
    )
    result = harness(
        "simulate", "scenario.yaml",
        "--set", "agents.writer.stub=replies.yaml", "--set", "pattern={react: {agent: writer}}",
    )  # fmt: skip
    assert result.returncode == 2
    assert "asked for" in result.stderr
    shown = harness("show")
    assert "tool 1 (?[31mred" in shown.stdout
    for output in (result.stdout, result.stderr, shown.stdout):
        assert not [char for char in ACTING if char in output]
    spans = [json.loads(line) for line in harness("show", "--format", "json").stdout.splitlines()]
    assert next(span["name"] for span in spans if span["kind"] == "tool") == HOSTILE


@pytest.mark.parametrize(
    "change",
    [
        "agents.writer.stub={text}",
        "agents.writer.stub={yaml}",
        "models.fast.name={text}",
        "workload.arrivals={{trace: {{file: {text}, time: x}}}}",
        "budgets={{{text}: {{below: 1}}}}",
        "{bare}=1",
    ],
)
def test_hostile_text_in_a_message_does_nothing(harness: Cli, change: str) -> None:
    words = {
        "text": yaml_text(HOSTILE),
        "yaml": yaml_text(HOSTILE + ".yaml"),
        "bare": "\x1b[31mred",
    }
    result = harness("simulate", "scenario.yaml", "--set", change.format(**words))
    assert result.returncode == 2
    assert "31mred" in result.stderr
    assert not [char for char in ACTING if char in result.stderr]


def test_hostile_name_of_a_file_does_nothing(harness: Cli) -> None:
    name = "\x1b[31mred [bold].yaml"
    Path(name).write_text(Path("scenario.yaml").read_text())
    results = [
        harness(*words)
        for words in (("simulate", name), ("validate", name), ("show",), ("validate", name + "x"))
    ]
    assert [result.returncode for result in results] == [0, 0, 0, 2]
    assert not [result for result in results if "\x1b" in result.stdout + result.stderr]


def test_hostile_name_of_a_model_without_a_price_does_nothing(harness: Cli) -> None:
    model = (
        f"models.fast={{provider: anthropic, name: {yaml_text(HOSTILE)}, latency: {{ttft_s: 1}}}}"
    )
    result = harness("simulate", "scenario.yaml", "--set", model)
    assert result.returncode == 0
    assert "is unknown, so there is no cost" in result.stdout
    assert not [char for char in ACTING if char in result.stdout]


# -- terminals and pipes ----------------------------------------------------------------------------


@pytest.mark.slow
def test_terminal_gets_colours_and_a_pipe_does_not() -> None:
    budget = "budgets.latency_s_p95={below: 0.5}"
    code, shown = on_a_terminal("simulate", "scenario.yaml", "--set", budget)
    assert code == 1
    assert "\x1b[1;31mFAIL\x1b[0m" in shown
    piped = subprocess.run(
        [sys.executable, "-m", "harness", "simulate", "scenario.yaml", "--set", budget],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (piped.returncode, piped.stderr) == (1, "")
    assert "FAIL" in piped.stdout
    assert "\x1b" not in piped.stdout


@pytest.mark.slow
def test_terminal_shows_hostile_texts_without_obeying_them() -> None:
    _, shown = on_a_terminal(
        "simulate", "scenario.yaml", "--set", f"description={yaml_text('x' + HOSTILE)}"
    )
    assert "?[31mred?]0;title?" in shown
    assert "\x1b]0;" not in shown
    assert "\x1b[31mred" not in shown
    _, refused = on_a_terminal("simulate", "scenario.yaml", "--set", "seed=\x1b[31mred")
    assert "\x1b[31mred" not in refused


def test_pipe_is_as_wide_as_anything_needs(harness: Cli) -> None:
    long = "a" * 100
    harness(
        "simulate",
        "scenario.yaml",
        "--set",
        f"agents.{long}.model=fast",
        "--set",
        f"pattern={{single: {{agent: {long}}}}}",
    )
    shown = harness("show").stdout
    assert "attempt 1 (fast)" in shown
    assert f"agent {long}" in shown
    assert "…" not in shown


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--format", "json"),
        ("show", "--tasks", "9999"),
        ("schema",),
        ("simulate", "scenario.yaml", "--format", "json"),
        ("simulate", "scenario.yaml"),
    ],
)
def test_reader_that_has_had_enough_is_no_bug(harness: Cli, words: tuple[str, ...]) -> None:
    harness(
        "simulate",
        "scenario.yaml",
        "--quiet",
        "--set",
        "workload={tasks: 2000, arrivals: {every_s: 5}}",
    )
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "harness", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (141, b"")
