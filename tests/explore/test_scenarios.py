"""`harness explore` searches scenario files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import run

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_a_pattern_without_retries_fails_by_one_attempt(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explore", str(SCENARIOS / "pipeline.yaml"), "--runs", "30", "--format", "json"]
    assert run(words) == 1
    found = json.loads(capsys.readouterr().out)
    (finding,) = found["findings"]
    assert finding["kind"] == "task_failed"
    (deviation,) = finding["deviations"]
    assert (deviation["name"], deviation["attempt"]) == ("overloaded", 1)
    assert run(["explore", str(SCENARIOS / "pipeline.yaml"), "--replay", finding["token"]]) == 1
    assert "0 findings" not in capsys.readouterr().out


def test_a_pattern_that_retries_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", str(SCENARIOS / "code_review.yaml"), "--runs", "40"]) == 0
    assert "0 findings in 40 runs" in capsys.readouterr().out


def test_a_program_that_a_scenario_names_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "forgetful_app.py").write_text(
        "import anthropic\n"
        "async def answer(question):\n"
        "    client, notes = anthropic.AsyncAnthropic(), {}\n"
        "    try:\n"
        "        reply = await client.messages.create(model='claude-haiku-4-5', max_tokens=50,\n"
        "            messages=[{'role': 'user', 'content': question}])\n"
        "        notes['answer'] = reply.content[0].text if reply.content else ''\n"
        "    except (anthropic.APIError, ValueError):\n"
        "        pass\n"
        "    return notes['answer']\n"
    )
    (tmp_path / "target.yaml").write_text(
        "scenario: forgetful\ntarget: forgetful_app:answer\n"
        "workload: {tasks: 1, kinds: [{kind: question, text: Why?}]}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run(["explore", str(tmp_path / "target.yaml"), "--runs", "20"]) == 1
    printed = capsys.readouterr().out
    assert "KeyError: 'answer' (forgetful_app.py:10)" in printed
