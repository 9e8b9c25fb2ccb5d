"""vcrpy and pytest-recording, as they are, load and replay what is recorded here."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import Interaction, RecordedRequest, RecordedResponse, Timing, load_cassette
from harness.cassettes.cassette import Chunk
from harness.cassettes.writing import append, put_in_order

vcr = pytest.importorskip("vcr")
httpx2 = pytest.importorskip("httpx2")
anthropic = pytest.importorskip("anthropic")

QUESTION: dict[str, Any] = {
    "max_tokens": 9, "messages": [{"role": "user", "content": "héllo \U0001f642 \x7f\u2028"}], "model": "claude-sonnet-5",
}  # fmt: skip
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "naïve \U0001f642"}], "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip
URL = "https://api.anthropic.com/v1/messages"


def recorded(number: int, body: bytes = b"") -> Interaction:
    answer = body or json.dumps(MESSAGE, ensure_ascii=False).encode()
    half = len(answer) // 2
    return Interaction(
        number=number,
        request=RecordedRequest(
            method="POST", url=URL, headers=(("content-type", "application/json"),),
            body=json.dumps(QUESTION, separators=(",", ":"), ensure_ascii=False).encode(),
        ),
        response=RecordedResponse(
            status=200, reason="OK", headers=(("content-type", "application/json"),), body=answer,
            timing=Timing(start_s=float(number), headers_s=0.4, chunks=(Chunk(0.4, half), Chunk(0.5, len(answer) - half)), end_s=0.6),
        ),
        agent="critic",
        call=number,
    )  # fmt: skip


@pytest.fixture(params=["while it is recorded", "afterwards"])
def cassette(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "ours.yaml"
    append(path, recorded(2))
    append(path, recorded(1, b"\x00\x01\xff binary"))
    if request.param == "afterwards":
        put_in_order(path)
    return path


def test_vcrpy_replays_the_answers_in_the_order_in_which_they_began(cassette: Path) -> None:
    put_in_order(cassette)
    body = json.dumps(QUESTION, separators=(",", ":"), ensure_ascii=False).encode()
    with vcr.use_cassette(
        str(cassette), record_mode="none", match_on=["method", "uri", "body"]
    ) as played:
        got = [
            httpx2.post(URL, content=body, headers={"content-type": "application/json"})
            for _ in range(2)
        ]
        assert played.all_played
    assert got[0].content == b"\x00\x01\xff binary"
    assert got[1].json() == MESSAGE


def test_vcrpy_keeps_the_times_when_it_writes_the_file_again(cassette: Path) -> None:
    from vcr.cassette import Cassette  # type: ignore[import-untyped]  # it has no types

    before = load_cassette(cassette).interactions
    kept = Cassette.load(path=str(cassette))
    kept.dirty = True
    kept._save(force=True)
    assert load_cassette(cassette).interactions == before


def test_an_sdk_replays_under_vcrpy(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    append(path, recorded(1))
    with (
        vcr.use_cassette(str(path), record_mode="none"),
        anthropic.Anthropic(api_key="k") as client,
    ):
        assert client.messages.create(**QUESTION).content[0].text == "naïve \U0001f642"


TEST = """
import pytest, anthropic
@pytest.mark.vcr
def test_replayed():
    with anthropic.Anthropic(api_key="k", max_retries=0) as client:
        question = [{"role": "user", "content": "x"}]
        message = client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=question)
        assert message.content[0].text == "naïve \U0001f642"
"""


@pytest.mark.skipif(
    importlib.util.find_spec("pytest_recording") is None, reason="pytest-recording is not installed"
)
def test_pytest_recording_replays(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST, encoding="utf-8")
    append(tmp_path / "cassettes" / "test_it" / "test_replayed.yaml", recorded(1))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--block-network", "-p", "pytest_recording.plugin", "test_it.py"],
        cwd=tmp_path, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_what_vcrpy_records_is_loaded(tmp_path: Path) -> None:
    from tests.real_server import serving

    path = tmp_path / "theirs.yaml"
    with serving() as server, vcr.use_cassette(str(path)):
        httpx2.post(f"{server.url}/v1/messages", json=QUESTION)
    (one,) = load_cassette(path).interactions
    assert one.request.json == QUESTION
    assert one.latency_source == "profile"
