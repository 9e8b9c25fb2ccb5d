"""`harness serve`: the same servers on a real socket. These tests wait for real time, a little."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import urllib.request
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
        body = json.dumps(QUESTION)
        lines = ["POST /v1/messages HTTP/1.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in {"Host": "x", **HEADERS}.items()]
        plain.sendall("\r\n".join([*lines, "", body]).encode())
        # A second one that is answered, so that the first is known to have come.
        assert post(f"{url}/v1/nothing", {}, **HEADERS)[0] == 404
    spans = queries.spans(Store("harness.duckdb"), 1)
    ends = {span["kind"]: span["status"] for span in spans}
    assert ends == {"task": "ok", "call": "cancelled", "attempt": "cancelled"}


def test_a_script_that_runs_out_ends_the_server_and_is_told_in_words() -> None:
    Path("stub.yaml").write_text("agents: {lead: {replies: [once]}}\n", encoding="utf-8")
    command = [sys.executable, "-m", "harness", "serve", "desk.yaml", "--port", "0"]
    command += ["--speed", "1000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split(" at ")[1].split(";")[0]
        assert post(f"{url}/v1/messages", QUESTION, **HEADERS)[0] == 200
        with pytest.raises(http.client.RemoteDisconnected):
            post(f"{url}/v1/messages", QUESTION, **HEADERS)
        assert process.wait(timeout=20) == 2
        told = process.stderr.read()
    assert "the replies of agent 'lead' ran out" in told
    assert "Traceback" not in told


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with served() as url:
        port = url.rpartition(":")[2]
        command = [sys.executable, "-m", "harness", "serve", "desk.yaml", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"cannot listen at 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
