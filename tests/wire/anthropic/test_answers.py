"""Answers in one piece, in parts, and none at all."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from harness.models import Reply, ToolCall
from harness.provider import Refusal
from harness.provider.limits import Level, LimitHit, Quota
from harness.units import Usage
from harness.wire.api import Completion, Ids, Moment

HI: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 5000,
    "messages": [{"role": "user", "content": "hi"}],
}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
SONNET = {"model": "claude-sonnet-4-6"}


def test_the_fields_of_a_body_have_the_order_of_recorded_ones(bench: Any) -> None:
    body = bench.answer(HI, Reply("hello"))
    assert list(body) == [
        "model",
        "id",
        "type",
        "role",
        "content",
        "stop_reason",
        "stop_sequence",
        "stop_details",
        "usage",
    ]
    assert list(body["usage"]) == [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "cache_creation",
        "output_tokens",
        "service_tier",
        "inference_geo",
    ]
    assert body["model"] == "claude-haiku-4-5-20251001"
    assert re.fullmatch(r"msg_01[1-9A-Za-z]{22}", body["id"])
    assert body["content"] == [{"type": "text", "text": "hello"}]


def test_tool_calls_follow_the_text(bench: Any) -> None:
    body = bench.answer(HI, Reply("I look.", (ToolCall("a", {"x": 1}), ToolCall("b", {}))))
    text, first, second = body["content"]
    assert text == {"type": "text", "text": "I look."}
    assert list(first) == ["type", "id", "name", "input", "caller"]
    assert (first["name"], first["input"], second["input"]) == ("a", {"x": 1}, {})
    assert re.fullmatch(r"toolu_01[1-9A-Za-z]{22}", first["id"])
    assert first["id"] != second["id"]
    assert body["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("change", "reply", "reason", "sequence"),
    [
        ({}, Reply("x"), "end_turn", None),
        ({"max_tokens": 2}, Reply("x" * 50), "max_tokens", None),
        ({"stop_sequences": ["END"]}, Reply("so END of it"), "stop_sequence", "END"),
        ({}, Reply("no", refused=True), "refusal", None),
        (
            {"messages": [{"role": "user", "content": "x" * 799_900}]},
            Reply("x" * 400),
            "model_context_window_exceeded",
            None,
        ),
    ],
)
def test_a_reply_says_why_it_ended(
    bench: Any, change: Any, reply: Reply, reason: str, sequence: str | None
) -> None:
    body = bench.answer({**HI, **change}, reply)
    assert (body["stop_reason"], body["stop_sequence"]) == (reason, sequence)
    details = {"type": "refusal", "category": None, "explanation": None}
    assert body["stop_details"] == (details if reason == "refusal" else None)


def test_thoughts_are_shown_signed_and_counted(bench: Any) -> None:
    body = bench.answer({**HI, **THINKING}, Reply("4", thinking="two and two"))
    assert [block["type"] for block in body["content"]] == ["thinking", "text"]
    assert body["content"][0]["thinking"] == "two and two"
    assert body["usage"]["output_tokens"] == 4
    assert body["usage"]["output_tokens_details"] == {"thinking_tokens": 3}


def test_omitted_thoughts_are_only_signed(bench: Any) -> None:
    asked = {**HI, "thinking": {**THINKING["thinking"], "display": "omitted"}}
    thinking = bench.answer(asked, Reply("4", thinking="two and two"))["content"][0]
    assert (thinking["thinking"], len(thinking["signature"])) == ("", 256)


def test_who_is_not_asked_to_think_shows_no_thoughts(bench: Any) -> None:
    body = bench.answer(HI, Reply("4", thinking="two and two"))
    assert [block["type"] for block in body["content"]] == ["text"]
    assert "output_tokens_details" not in body["usage"]


def test_the_cache_counts_apart_what_is_kept_for_an_hour(bench: Any) -> None:
    hour = {"type": "ephemeral", "ttl": "1h"}
    system = [
        {"type": "text", "text": "x" * 8000, "cache_control": hour},
        {"type": "text", "text": "y" * 4000, "cache_control": {"type": "ephemeral"}},
    ]
    asked = {**HI, **SONNET, "system": system}
    usage = bench.answer(asked, Reply("x"))["usage"]
    assert usage["cache_creation_input_tokens"] == 3000
    assert usage["cache_creation"] == {
        "ephemeral_5m_input_tokens": 1000,
        "ephemeral_1h_input_tokens": 2000,
    }
    bench.begin(asked)
    bench.desk.now_s = 600.0
    usage = bench.answer(asked, Reply("x"))["usage"]
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (2000, 1000)
    assert usage["input_tokens"] == 8


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("claude-haiku-4-5", 4096), ("claude-sonnet-4-6", 1024), ("claude-opus-5", 512)],
)
def test_a_short_prefix_is_not_kept(bench: Any, model: str, tokens: int) -> None:
    for size, written in ((tokens - 1, 0), (tokens, tokens)):
        cached = {"type": "text", "text": "x" * 4 * size, "cache_control": {"type": "ephemeral"}}
        usage = bench.answer({**HI, "model": model, "system": [cached]}, Reply("x"))["usage"]
        assert usage["cache_creation_input_tokens"] == written


def test_a_stream_has_the_grammar_of_recorded_ones(bench: Any) -> None:
    reply = Reply("I look.", (ToolCall("a", {"x": 1}),), thinking="hm")
    names = [name for name, _ in bench.events({**HI, **THINKING}, reply)]
    grammar = (
        "message_start content_block_start ping (content_block_delta )+content_block_stop "
        "(content_block_start (content_block_delta )+content_block_stop )*message_delta message_stop"
    )
    assert re.fullmatch(grammar, " ".join(names))


def test_a_stream_says_what_one_piece_would(bench: Any) -> None:
    reply = Reply(
        "Grüße, 世界! " * 30,
        (ToolCall("a", {"täg": [1, {"b": None}]}), ToolCall("b", {})),
        thinking="hm " * 40,
    )
    events = bench.events({**HI, **THINKING}, reply)
    deltas = [data for name, data in events if name == "content_block_delta"]

    def joined(index: int, key: str) -> str:
        return "".join(d["delta"].get(key, "") for d in deltas if d["index"] == index)

    assert joined(0, "thinking") == reply.thinking
    assert len(joined(0, "signature")) == 256
    assert joined(1, "text") == reply.text
    assert json.loads(joined(2, "partial_json")) == {"täg": [1, {"b": None}]}
    assert joined(3, "partial_json") == ""
    assert [d["index"] for d in deltas] == sorted(d["index"] for d in deltas)
    whole = bench.answer({**HI, **THINKING}, reply)
    last = next(data for name, data in events if name == "message_delta")
    assert last["usage"]["output_tokens"] == whole["usage"]["output_tokens"]
    start = events[0][1]["message"]
    assert 0 < start["usage"]["output_tokens"] <= 6
    assert (start["content"], start["stop_reason"]) == ([], None)


def test_events_end_in_up_to_fifteen_blanks_and_pings_in_none(bench: Any) -> None:
    prompt = bench.ask({**HI, "stream": True})
    response = bench.api.stream(prompt, bench.spoken(prompt, Reply("word " * 900)), bench.moment())
    blanks = {len(re.findall(rb"( *)}\n\n$", part.data)[0]) for part in response.body}
    assert blanks == set(range(16))
    assert (
        sum(part.data == b'event: ping\ndata: {"type": "ping"}\n\n' for part in response.body) == 1
    )


def test_pieces_of_text_have_the_sizes_of_recorded_ones(bench: Any) -> None:
    events = bench.events(HI, Reply("x" * 19_000))
    sizes = sorted(
        len(data["delta"]["text"]) for name, data in events if name == "content_block_delta"
    )
    assert 13 <= sizes[len(sizes) // 2] <= 17
    assert 16 <= sum(sizes) / len(sizes) <= 22
    assert sizes[-1] <= 132


def test_parts_leave_as_they_are_generated(bench: Any) -> None:
    reply = Reply("x" * 300, (ToolCall("a", {"b": "y" * 100}),), thinking="z" * 400)
    hidden = {**HI, "thinking": {**THINKING["thinking"], "display": "omitted"}, "stream": True}
    prompt = bench.ask(hidden)
    parts = bench.api.stream(prompt, bench.spoken(prompt, reply), bench.moment()).body
    shares = [part.share for part in parts]
    assert shares == sorted(shares)
    assert (shares[0], shares[-2], shares[-1]) == (0.0, 1.0, 1.0)
    assert b"message_stop" in parts[-1].data
    assert b"message_delta" in parts[-2].data
    first_text = next(part.share for part in parts if b"text_delta" in part.data)
    assert first_text > 0.0, "what is thought in silence takes its time"


def test_an_empty_reply_is_a_stream_too(bench: Any) -> None:
    assert [name for name, _ in bench.events(HI, Reply(""))] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]


def test_half_a_surrogate_pair_is_sent_as_its_escape(bench: Any) -> None:
    assert bench.answer(HI, Reply("a\ud800b"))["content"][0]["text"] == "a\ud800b"
    bench.events(HI, Reply("a\ud800b"))


def _moment(quota: Quota, at_s: float = 0.0) -> Moment:
    return Moment(Ids("1"), at_s, 2.6394, quota)


def test_headers_tell_what_the_limits_leave(bench: Any) -> None:
    quota = Quota(Level(60, 59, 1.0), Level(30_000, 28_760, 2.48), Level(8000, 8000, 0.0))
    prompt = bench.ask(HI)
    spoken = bench.spoken(prompt, Reply("x"))
    headers = dict(bench.api.whole(prompt, spoken, _moment(quota, 10.5)).headers)
    limits = {
        name.removeprefix("anthropic-ratelimit-"): headers[name]
        for name in headers
        if "ratelimit" in name
    }
    assert limits == {
        "requests-limit": "60",
        "requests-remaining": "59",
        "requests-reset": "2026-01-01T00:00:12Z",
        "input-tokens-limit": "30000",
        "input-tokens-remaining": "29000",
        "input-tokens-reset": "2026-01-01T00:00:13Z",
        "output-tokens-limit": "8000",
        "output-tokens-remaining": "8000",
        "output-tokens-reset": "2026-01-01T00:00:10Z",
        "tokens-limit": "38000",
        "tokens-remaining": "37000",
        "tokens-reset": "2026-01-01T00:00:13Z",
    }
    assert headers["Date"] == "Thu, 01 Jan 2026 00:00:10 GMT"
    assert headers["x-envoy-upstream-service-time"] == "2639"
    assert headers["server-timing"] == "x-originResponse;dur=2639"
    assert re.fullmatch(r"req_011C[1-9A-Za-z]{20}", headers["request-id"])


def test_a_rate_limit_is_told_in_the_words_of_the_api(bench: Any) -> None:
    hit = LimitHit("input tokens", 30_000, 7)
    response = bench.api.refused(
        Refusal("rate_limit_error", "claude-sonnet-4-6", hit, 7.0), bench.moment()
    )
    assert response.status == 429
    assert dict(response.headers)["retry-after"] == "7"
    said = json.loads(response.body)
    assert list(said) == ["type", "error", "request_id"]
    assert said["error"]["message"] == (
        "This request would exceed your organization's rate limit of 30,000 input tokens per minute (org: "
        "00000000-0000-4000-8000-000000000000, model: claude-sonnet-4-6). For details, refer to: "
        "https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the "
        "prompt length or the maximum tokens requested, or try again later. You may also contact sales at "
        "https://claude.com/contact-sales to discuss your options for a rate limit increase."
    )


def test_a_rate_limit_names_its_model_whatever_it_is_called(bench: Any) -> None:
    name = "ft (model: haiku) v2"
    limited = Refusal("rate_limit_error", name, LimitHit("requests", 3, 20), 20.0)
    said = json.loads(bench.api.refused(limited, bench.moment()).body)["error"]["message"]
    assert f"(org: 00000000-0000-4000-8000-000000000000, model: {name})." in said


def test_an_overload_breaks_a_stream_off_with_the_id_of_its_request(bench: Any) -> None:
    moment = bench.moment()
    prompt = bench.ask({**HI, "stream": True})
    head = bench.api.stream(prompt, bench.spoken(prompt, Reply("x")), moment).headers
    event = bench.api.broken_off(Refusal("overloaded_error"), moment)
    assert event == (
        b'event: error\ndata: {"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},'
        b'"request_id":"%s"}\n\n' % dict(head)["request-id"].encode()
    )


def test_all_tool_calls_may_get_one_id(bench: Any) -> None:
    prompt = bench.ask(HI)
    reply = Reply("", (ToolCall("a", {}), ToolCall("b", {})))
    spoken = Completion(reply, Usage(8, 2), "tool_use")
    moment = Moment(Ids("1", same_tool_ids=True), 0.0, 0.0, Quota(None, None, None))
    first, second = json.loads(bench.api.whole(prompt, spoken, moment).body)["content"]
    assert first["id"] == second["id"]
    assert moment.ids.tools == [first["id"]] * 2


def test_lists_come_page_by_page(bench: Any) -> None:
    everything = [model["id"] for model in bench.own("GET", "/v1/models?limit=1000")["data"]]
    page = bench.own("GET", "/v1/models?limit=2")
    assert [model["id"] for model in page["data"]] == everything[:2]
    assert (page["has_more"], page["first_id"], page["last_id"]) == (True, *everything[:2])
    page = bench.own("GET", f"/v1/models?limit=2&after_id={everything[1]}")
    assert [model["id"] for model in page["data"]] == everything[2:4]
    page = bench.own("GET", f"/v1/models?limit=2&before_id={everything[3]}")
    assert [model["id"] for model in page["data"]] == everything[1:3]
    assert bench.own("GET", "/v1/models?limit=0")["error"]["type"] == "invalid_request_error"


def test_options_are_for_threads_only(bench_of: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        bench_of(streams=False)
