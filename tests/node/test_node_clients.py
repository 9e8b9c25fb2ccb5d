"""The SDKs for Node.js against `harness serve`, in real time; skipped without Node.js or where `make test-node` has not installed them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.store import Store, queries

HERE = Path(__file__).parent
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        NODE is None or not (HERE / "node_modules").is_dir(),
        reason="needs Node.js and the packages of tests/node, which `make test-node` installs",
    ),
]

SCENARIO = """
scenario: harbour
workload: {tasks: 1}
target: json:dumps
models:
  deep: {provider: anthropic, name: claude-sonnet-4-6}
  four: {provider: openai, name: gpt-4o}
agents:
  writer: {match: {system: never}, stub: answers:writer}
  sailor: {match: {system: never}, stub: answers:sailor}
  gauge: {match: {system: never}, stub: answers:gauge}
  limited: {match: {system: never}, stub: answers:writer}
  busy: {match: {system: never}, stub: answers:writer}
  down: {match: {system: never}, stub: answers:writer}
  gone: {match: {system: never}, stub: answers:writer}
  broken: {match: {system: never}, stub: answers:writer}
  slow: {match: {system: never}, stub: answers:writer}
faults:
  - {overloaded: {agent: limited, attempt: 1}}
  - {status: {status: 429, agent: busy}}
  - {overloaded: {agent: down}}
  - {reset: {agent: gone}}
  - {error_event: {agent: broken}}
  - {hang: {agent: slow}}
"""

ANSWERS = """
from harness import Reply, ToolCall


def writer(request):
    return "the tide is high \\N{WATER WAVE}"


def sailor(request):
    results = request.tool_results
    return results[0].text if results else Reply("", (ToolCall("tide", {"port": "Brest"}),))


def gauge(request):
    return '{"metres": 4.5}'
"""

WRITTEN = "the tide is high \N{WATER WAVE}"


class Outcome(NamedTuple):
    """What the clients got, and what the server stored."""

    of: dict[str, dict[str, Any]]
    """Results of the steps, by the client's script."""
    attempts: Counter[str]
    """How many attempts each agent got."""
    calls: Counter[str]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "harbour.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "answers.py").write_text(ANSWERS, encoding="utf-8")
    words = [sys.executable, "-m", "harness", "serve", "harbour.yaml", "--port", "0", "--speed", "1000"]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=folder) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split(" at ")[1].split(";")[0]
        try:
            found = {script: results(script, url) for script in ("anthropic", "openai")}
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
    spans = queries.spans(Store(folder / "harness.duckdb"), 1)
    attempts, calls = (
        Counter(str(span["agent"]) for span in spans if span["kind"] == kind)
        for kind in ("attempt", "call")
    )
    return Outcome(found, attempts, calls)


def results(script: str, url: str) -> dict[str, Any]:
    """The results of a client's script."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(HERE / f"{script}.mjs"), url], capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


USAGE_OF_WRITTEN = {"prompt_tokens": 8, "completion_tokens": 5, "total_tokens": 13}


@pytest.fixture(scope="module")
def anthropic(outcome: Outcome) -> dict[str, Any]:
    return outcome.of["anthropic"]


@pytest.fixture(scope="module")
def openai(outcome: Outcome) -> dict[str, Any]:
    return outcome.of["openai"]


def failure(result: dict[str, Any]) -> tuple[object, object, object]:
    """The class of an error, its status and its type."""
    return result["failed"], result.get("status"), result.get("type")


# -- @anthropic-ai/sdk ----------------------------------------------------------------------------------------------


def test_message_comes_whole_and_as_a_stream(anthropic: dict[str, Any]) -> None:
    whole = anthropic["whole"]
    assert whole["content"] == [{"type": "text", "text": WRITTEN}]
    assert (whole["stop_reason"], whole["has_request_id"]) == ("end_turn", True)
    assert (whole["usage"]["input_tokens"], whole["usage"]["output_tokens"]) == (12, 5)
    assert anthropic["stream"] == {"text": WRITTEN, "last": WRITTEN, "stop_reason": "end_turn"}
    events = anthropic["raw_stream"]
    assert events[:2] == ["message_start", "content_block_start"]
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_message_asks_for_a_tool_and_reads_its_result(anthropic: dict[str, Any]) -> None:
    used = {"name": "tide", "input": {"port": "Brest"}}
    assert anthropic["tool"] == {"stop_reason": "tool_use", **used, "text": "high"}
    assert anthropic["streamed_tool"] == [used]
    assert anthropic["tool_runner"] == "Brest is high"


def test_message_has_structure_and_thoughts_as_asked(anthropic: dict[str, Any]) -> None:
    assert anthropic["structured"] == {"metres": 4.5}
    assert anthropic["thinking"] == ["thinking", "text"]


def test_what_is_beside_messages_is_served(anthropic: dict[str, Any]) -> None:
    assert anthropic["count_tokens"] == 12
    assert anthropic["batch"] == {"status": "in_progress", "type": "message_batch"}
    assert "claude-sonnet-4-6" in anthropic["models"]
    assert len(anthropic["models"]) > 2, "more than one page"


def test_errors_of_messages_have_the_classes_of_the_sdk(anthropic: dict[str, Any]) -> None:
    assert failure(anthropic["bad_request"]) == ("BadRequestError", 400, "invalid_request_error")
    assert failure(anthropic["unknown_model"]) == ("NotFoundError", 404, "not_found_error")
    assert failure(anthropic["no_credential"]) == ("AuthenticationError", 401, "authentication_error")  # fmt: skip
    assert failure(anthropic["rate_limited"]) == ("RateLimitError", 429, "rate_limit_error")
    assert failure(anthropic["overloaded"]) == ("OverloadedError", 529, "overloaded_error")
    assert failure(anthropic["reset"]) == ("APIConnectionError", None, None)
    assert failure(anthropic["broken_stream"]) == ("APIError", None, "overloaded_error")
    assert failure(anthropic["timeout"]) == ("APIConnectionTimeoutError", None, None)


# -- openai -----------------------------------------------------------------------------------------------------------


def test_chat_comes_whole_and_as_a_stream(openai: dict[str, Any]) -> None:
    (choice,) = openai["whole"]["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (WRITTEN, "stop")
    assert openai["whole"]["has_request_id"]
    assert openai["whole"]["usage"].items() >= USAGE_OF_WRITTEN.items()
    assert openai["stream"] == {"text": WRITTEN, "usage": openai["whole"]["usage"]}
    assert openai["stream_helper"] == WRITTEN


def test_chat_asks_for_a_tool_and_reads_its_result(openai: dict[str, Any]) -> None:
    function = {"name": "tide", "arguments": '{"port":"Brest"}'}
    assert openai["tool"] == {"finish_reason": "tool_calls", "function": function, "text": "high"}
    assert openai["tool_runner"] == openai["streamed_tool_runner"] == "Brest is high"
    assert openai["structured"] == {"metres": 4.5}


def test_response_comes_whole_and_as_a_stream(openai: dict[str, Any]) -> None:
    whole = {"text": WRITTEN, "status": "completed", "types": ["message"]}
    assert openai["response"] == whole
    assert openai["response_stream_helper"] == WRITTEN
    assert openai["response_stream"][0] == "response.created"
    assert openai["response_stream"][-1] == "response.completed"
    assert openai["response_tool"] == {"arguments": '{"port":"Brest"}', "text": "high"}
    assert openai["response_structured"] == {"metres": 4.5}
    assert openai["reasoning"] == ["reasoning", "message"]


def test_what_is_beside_chats_and_responses_is_served(openai: dict[str, Any]) -> None:
    assert openai["embedding"] == 1536
    assert openai["file"] == {"bytes": 149, "same": True}
    assert "gpt-4o" in openai["models"]


def test_errors_of_chats_have_the_classes_of_the_sdk(openai: dict[str, Any]) -> None:
    assert failure(openai["bad_request"]) == ("BadRequestError", 400, "invalid_request_error")
    assert openai["bad_request"]["param"] == "temperature"
    assert failure(openai["unknown_model"]) == ("NotFoundError", 404, "invalid_request_error")
    assert openai["unknown_model"]["code"] == "model_not_found"
    assert failure(openai["rate_limited"]) == ("RateLimitError", 429, "requests")
    assert failure(openai["overloaded"]) == ("InternalServerError", 503, "server_error")
    assert failure(openai["reset"]) == ("APIConnectionError", None, None)
    assert failure(openai["broken_stream"]) == ("APIError", None, "server_error")
    assert failure(openai["timeout"]) == ("APIConnectionTimeoutError", None, None)


# -- both -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["anthropic", "openai"])
def test_retries_of_the_sdk_are_attempts_of_one_call(outcome: Outcome, script: str) -> None:
    assert outcome.of[script]["retried"] == WRITTEN
    assert [outcome.calls[agent] for agent in ("limited", "busy", "down", "gone")] == [2, 2, 2, 2]
    assert [outcome.attempts[agent] for agent in ("limited", "busy", "down", "gone")] == [4, 2, 4, 4]  # fmt: skip
