"""The marker `sim(cassette=...)`, and stale cassettes at the end of a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cassettes import Interaction, RecordedRequest, RecordedResponse, Timing
from harness.cassettes.writing import rewrite

pytest.importorskip("anthropic")

TESTS = """
import anthropic, pytest

def ask(question):
    with anthropic.Anthropic(max_retries=0) as client:
        message = client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": question}])
        return message.content[0].text

@pytest.mark.sim(cassette="recorded.yaml")
def test_a(sim):
    run = sim.run(ask, "a")
    assert run.output == "said a"
    assert run.latency_s == 1.5

@pytest.mark.sim(cassette="recorded.yaml")
def test_b(sim):
    assert sim.run(ask, "b").output == "said b"
"""


def recorded(number: int, question: str) -> Interaction:
    asked = {
        "model": "claude-sonnet-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": question}],
    }
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": f"said {question}"}], "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    return Interaction(
        number=number,
        request=RecordedRequest(method="POST", url="https://api.anthropic.com/v1/messages", body=json.dumps(asked).encode()),
        response=RecordedResponse(
            status=200, headers=(("content-type", "application/json"),), body=json.dumps(message).encode(),
            timing=Timing(start_s=float(number), headers_s=1.5, end_s=1.5),
        ),
    )  # fmt: skip


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(test_it=TESTS)
    rewrite(Path(pytester.path, "recorded.yaml"), [recorded(1, "a"), recorded(2, "b")])
    return pytester


def test_tests_share_a_cassette(project: pytest.Pytester) -> None:
    result = project.runpytest()
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_a_recording_that_nobody_asks_for_fails_the_session_with_a_diff(
    project: pytest.Pytester,
) -> None:
    rewrite(
        Path(project.path, "recorded.yaml"), [recorded(1, "a"), recorded(2, "b"), recorded(3, "c")]
    )
    result = project.runpytest()
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*stale cassette*",
            "*recorded.yaml: the cassette is stale",
            "*1 of 3 recorded request is made no more:",
            "*interaction 3: POST to claude-sonnet-5: 'c'",
            '*- messages[[]0[]].content: "c"',
        ]
    )
    assert project.runpytest("-k", "test_a").ret == 0, "of a part of the tests nothing can be said"
    assert project.runpytest("test_it.py::test_a").ret == 0


def test_a_request_that_is_new_fails_its_test_with_the_nearest_recording(
    project: pytest.Pytester,
) -> None:
    rewrite(Path(project.path, "recorded.yaml"), [recorded(1, "a"), recorded(2, "bb")])
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*there is no recording of POST*",
            '*- messages[[]0[]].content: "bb"',
            '*+ messages[[]0[]].content: "b"',
        ]
    )


def test_a_missing_cassette_is_an_error_of_its_test(project: pytest.Pytester) -> None:
    Path(project.path, "recorded.yaml").unlink()
    result = project.runpytest()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*there is no such cassette*", "*How to fix: record it with*"])
    result.stdout.no_fnmatch_line("*pytest_plugin*")
