"""Calls from tables, stores and cassettes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.sources import calls_of_file, calls_of_store
from harness.errors import HarnessError
from harness.run import simulate
from harness.run.record import record
from harness.scenario import load_scenario
from harness.store import Store


def test_a_csv_has_a_call_a_row_and_is_called_like_its_model(tmp_path: Path) -> None:
    file = tmp_path / "gpt-4o.csv"
    file.write_text("output_tokens,first_s,total_s,error\n12,0.3,1.5,\n,,,429\n")
    assert calls_of_file(file) == [
        MeasuredCall(model="gpt-4o", output_tokens=12, first_s=0.3, total_s=1.5),
        MeasuredCall(model="gpt-4o", error="http_429"),
    ]


def test_columns_of_llmperf_are_known(tmp_path: Path) -> None:
    row = {
        "error_code": None,
        "ttft_s": 0.31,
        "end_to_end_latency_s": 2.5,
        "number_output_tokens": 151,
    }
    for name, text in (
        ("a.json", json.dumps([row])),
        ("a.jsonl", f"{json.dumps(row)}\n"),
    ):
        (tmp_path / name).write_text(text)
        assert calls_of_file(tmp_path / name) == [
            MeasuredCall(model="a", output_tokens=151, first_s=0.31, total_s=2.5)
        ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "output_tokens,latency\n1,2\n", "no column 'total_s'"),
        ("a.csv", "output_tokens,total_s\n1,-2\n", "call 1: total_s '-2' is not a finite number"),
        ("a.csv", "output_tokens,total_s\n1,nan\n", "call 1: total_s 'nan' is not a finite"),
        ("a.csv", "", "no column 'total_s'"),
        ("a.json", "{}", "a list of objects"),
        ("a.json", "[1]", "a list of objects"),
        ("a.json", "[", "this is not JSON"),
        ("a.jsonl", "[", "this is not JSON"),
    ],
)
def test_a_bad_table_is_one_clear_error(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(HarnessError, match=said):
        calls_of_file(tmp_path / name)


def test_attempts_of_a_store_are_calls(tmp_path: Path) -> None:
    base = Path(__file__).parents[1] / "scenario" / "base.yaml"
    scenario = load_scenario(base)
    store = Store(tmp_path / "runs.duckdb")
    store.write([record(scenario, simulate(scenario, 1))])
    calls = calls_of_store(store)
    assert calls
    assert {call.agent for call in calls} <= set(scenario.spec.agents)
    assert all(call.is_timed or call.error for call in calls)


def test_recorded_streams_have_a_first_token_and_replies_that_came_whole_have_none(
    tmp_path: Path,
) -> None:
    reply = {"model": "m-1", "choices": [{"message": {"content": "hi"}}], "usage": {"completion_tokens": 7}}  # fmt: skip
    events = [{"model": "m-1", "choices": [{"delta": {"content": "hi"}}]}, {"model": "m-1", "choices": [], "usage": {"completion_tokens": 7}}]  # fmt: skip
    stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    interactions = [
        _interaction("application/json", json.dumps(reply)),
        _interaction("text/event-stream", stream),
        _interaction("application/json", '{"error": {"type": "rate_limit_error"}}', 429),
    ]
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "interactions": interactions}))
    assert calls_of_file(file) == [
        MeasuredCall(model="m", output_tokens=7, total_s=1.5),
        MeasuredCall(model="m", output_tokens=7, first_s=0.4, total_s=1.5),
        MeasuredCall(model="m", error="rate_limit_error"),
    ]


def _interaction(kind: str, body: str, status: int = 200) -> dict[str, object]:
    return {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "headers": {},
            "body": '{"model": "m", "messages": []}',
        },
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {"content-type": [kind]},
            "body": {"string": body},
            "timing": {"start": 0.0, "headers": 0.3, "chunks": [[0.4, len(body)]], "end": 1.5},
        },
    }
