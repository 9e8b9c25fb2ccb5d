"""`harness serve`: the same servers on a real socket. These tests wait for real time, a little."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from harness.store import Store, queries

SCENARIO = """
scenario: desk
workload: {tasks: 1}
target: json:dumps
providers:
  anthropic: {limits: {requests_per_min: 600}}
models:
  deep: {provider: anthropic, name: claude-sonnet-4-6, latency: {ttft_s: 20, itl_s: 0.5}}
agents:
  lead: {match: {system: "*lead*"}, stub: stub.yaml}
faults: [{status: {status: 429, agent: lead, call: 3}}]
"""

QUESTION: dict[str, Any] = {
    "model": "claude-sonnet-4-6", "max_tokens": 50, "system": "You are the lead.",
    "messages": [{"role": "user", "content": "merge?"}],
}  # fmt: skip
HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}


@contextmanager
def served(*words: str) -> Iterator[str]:
    """The address of a server that runs until the block is done, and ends well then."""
    command = [sys.executable, "-m", "harness", "serve", "desk.yaml", "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "stop with Ctrl-C" in first
        try:
            yield first.split(" at ")[1].split(";")[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
        assert process.returncode == 0


@pytest.fixture(autouse=True)
def _scenario() -> None:
    Path("desk.yaml").write_text(SCENARIO, encoding="utf-8")
    Path("stub.yaml").write_text("agents: {lead: {reply: merge it}}\n", encoding="utf-8")


def post(url: str, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def raw(body: dict[str, Any]) -> bytes:
    """A request for a message, as bytes."""
    text = json.dumps(body)
    lines = ["POST /v1/messages HTTP/1.1", f"Content-Length: {len(text)}"]
    lines += [f"{name}: {value}" for name, value in {"Host": "x", **HEADERS}.items()]
    return "\r\n".join([*lines, "", text]).encode()


def test_both_sdks_and_plain_http_are_answered_and_the_calls_are_kept() -> None:
    with served("--speed", "1000") as url:
        client = anthropic.Anthropic(api_key="k", base_url=url, max_retries=0)
        message = client.messages.create(**QUESTION)
        assert message.content[0].text == "merge it"
        with client.messages.stream(**QUESTION) as stream:
            assert stream.get_final_text() == "merge it"
        client.close()
        with openai.OpenAI(api_key="k", base_url=f"{url}/v1") as other:
            chat = other.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": "hi"}]
            )
        assert chat.choices[0].message.content == "gpt-5 has done its part"
        headers = {**HEADERS, "x-harness-agent": "lead"}
        status, body = post(
            f"{url}/v1/messages", {**QUESTION, "system": "no rule knows me"}, **headers
        )
        assert (status, body["error"]["type"]) == (429, "rate_limit_error")
    calls = [span for span in queries.spans(Store("harness.duckdb"), 1) if span["kind"] == "call"]
    assert [call["agent"] for call in calls] == ["lead", "lead", "unmatched:gpt-5", "lead"]
    assert [call["status"] for call in calls] == ["ok", "ok", "ok", "error"]


def test_retry_of_a_client_that_is_one_of_many_belongs_to_the_latest_call_of_its_agent() -> None:
    scenario = SCENARIO.partition("faults:")[0] + "faults: [{overloaded: {attempt: 1}}]\n"
    Path("desk.yaml").write_text(scenario, encoding="utf-8")
    with served("--speed", "1000") as url:

        def status(agent: str, retries: int) -> int:
            counted = {"x-harness-agent": agent, "x-stainless-retry-count": str(retries)}
            return post(f"{url}/v1/messages", QUESTION, **HEADERS, **counted)[0]

        assert [status("a", 0), status("b", 0), status("a", 0)] == [529, 529, 529]
        assert [status("b", 1), status("a", 1)] == [200, 200]
    spans = queries.spans(Store("harness.duckdb"), 1)
    attempts = Counter(span["parent_id"] for span in spans if span["kind"] == "attempt")
    calls = [span for span in spans if span["kind"] == "call"]
    assert [(call["agent"], call["status"], attempts[call["span_id"]]) for call in calls] == [
        ("a", "error", 1), ("b", "ok", 2), ("a", "ok", 2),
    ]  # fmt: skip


def test_what_is_no_http_is_answered_with_400_and_others_go_on() -> None:
    with served("--speed", "1000") as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"hello\r\n\r\n")
            assert plain.recv(1000).startswith(b"HTTP/1.1 400 ")
        status, _ = post(f"{url}/v1/nothing", {}, **HEADERS)
        assert status == 404


def test_an_answer_that_is_cut_by_the_end_is_kept_as_cancelled() -> None:
    with served("--speed", "1") as url, closing(socket.socket()) as plain:
        plain.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        plain.sendall(raw(QUESTION))
        # A second one that is answered, so that the first is known to have come.
        assert post(f"{url}/v1/nothing", {}, **HEADERS)[0] == 404
    spans = queries.spans(Store("harness.duckdb"), 1)
    ends = {span["kind"]: span["status"] for span in spans}
    assert ends == {"task": "ok", "call": "cancelled", "attempt": "cancelled"}


@contextmanager
def served_and_heard(*words: str) -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and what it has said on its terminal once the block is done."""
    command = [sys.executable, "-m", "harness", "serve", "desk.yaml", "--port", "0", *words]
    told: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split(" at ")[1].split(";")[0]
        try:
            yield url, told
        finally:
            process.send_signal(signal.SIGINT)
            told += process.stderr.read().splitlines()
            process.wait(timeout=20)
        assert process.returncode == 0


def test_what_cannot_be_answered_is_an_error_of_the_api_and_a_line_on_the_terminal() -> None:
    Path("stub.yaml").write_text("agents: {lead: {replies: [once]}}\n", encoding="utf-8")
    with served_and_heard("--speed", "1000") as (url, told):
        assert post(f"{url}/v1/messages", QUESTION, **HEADERS)[0] == 200
        status, body = post(f"{url}/v1/messages", QUESTION, **HEADERS)
        assert (status, body["error"]["type"]) == (500, "api_error")
        assert "the replies of agent 'lead' ran out" in body["error"]["message"]
        chat = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        bearer = {"authorization": "Bearer k"}
        for name in ("functions", "audio"):
            status, body = post(f"{url}/v1/chat/completions", {**chat, name: True}, **bearer)
            assert (status, body["error"]["type"]) == (400, "invalid_request_error")
            assert name in body["error"]["message"]
        response = {"model": "gpt-4o", "input": "hi", "prompt": {"id": "pmpt_1"}}
        status, body = post(f"{url}/v1/responses", response, **bearer)
        assert (status, "prompt" in body["error"]["message"]) == (400, True)
        assert post(f"{url}/v1/chat/completions", chat, **bearer)[0] == 200
    text = "\n".join(told)
    assert "POST /v1/messages: " in text
    assert "ran out" in text
    assert "POST /v1/chat/completions: 'functions' of OpenAI's chats is not simulated" in text
    assert "Traceback" not in text


def test_its_root_says_what_it_is_and_how_to_use_it() -> None:
    with served() as url, urllib.request.urlopen(url) as answer:
        text = answer.read().decode()
    assert f"ANTHROPIC_BASE_URL={url}" in text
    assert f"OPENAI_BASE_URL={url}/v1" in text
    assert "anthropic speaks the API of anthropic" in text


def test_client_that_has_sent_all_is_answered_and_the_connection_closed() -> None:
    with served("--speed", "1000") as url, closing(socket.socket()) as plain:
        plain.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        plain.sendall(raw(QUESTION))
        plain.shutdown(socket.SHUT_WR)
        with plain.makefile("rb") as answer:
            told = answer.read()
    assert told.startswith(b"HTTP/1.1 200 ")
    assert b"merge it" in told


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with served() as url:
        port = url.rpartition(":")[2]
        command = [sys.executable, "-m", "harness", "serve", "desk.yaml", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"cannot listen at 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
