"""What a run shows about the program that made the calls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.metrics import Finding, findings
from harness.metrics.findings import RULES
from harness.spans import ATTEMPT, CALL, CANCELLED, ERROR, OK, TOOL, WAIT, Span, SpanLog


class Story:
    """A run as it is told: its clock stands where the teller puts it."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.log = SpanLog(lambda: self.now_s)
        self.span = self.log.open_task("job", 1)

    @contextmanager
    def call(self, agent: str = "worker", at_s: float | None = None) -> Iterator[Span]:
        """A call, which ends with its last attempt."""
        self.now_s = self.now_s if at_s is None else at_s
        span = self.log.open(CALL, agent, self.span, agent)
        yield span
        self.log.close(span, OK if span.status == "" else span.status)

    def attempt(
        self, call: Span, number: int = 1, took_s: float = 1.0, status: str = OK, **more: Any  # noqa: ANN401
    ) -> None:  # fmt: skip
        span = self.log.open(ATTEMPT, "m", call, call.agent, "m", number)
        span.start_s, span.first_token_s = (
            (self.now_s, self.now_s) if status == OK else (math.nan,) * 2
        )
        for name, value in more.items():
            setattr(span, name, value)
        self.now_s += took_s
        if number == 1:
            span.repeats = call.repeats
        self.log.close(span, status)
        call.status = status

    def reply(
        self,
        agent: str = "worker",
        at_s: float | None = None,
        took_s: float = 1.0,
        **more: Any,  # noqa: ANN401 - columns
    ) -> Span:
        """A call whose first attempt is answered."""
        with self.call(agent, at_s) as call:
            self.attempt(call, took_s=took_s, **more)
        return call

    def tries(self, waits_s: list[float], status: str = ERROR, agent: str = "worker", at_s: float | None = None,
              last: str = OK, **failure: Any) -> Span:  # noqa: ANN401  # fmt: skip
        """A call whose attempts fail after 50 ms, each but the last, with waits between them."""
        with self.call(agent, at_s) as call:
            for number, wait_s in enumerate(waits_s, 1):
                self.attempt(call, number, 0.05, status, **failure)
                self.now_s += wait_s
            self.attempt(call, len(waits_s) + 1, 0.05, last, **(failure if last != OK else {}))
        return call

    def loop(self, waits_s: list[float], agent: str = "worker", at_s: float | None = None,
             last: str = OK, **failure: Any) -> None:  # noqa: ANN401  # fmt: skip
        """As `tries`, but each try is a call of its own that repeats the one before."""
        before: Span | None = None
        self.now_s = self.now_s if at_s is None else at_s
        for wait_s in [*waits_s, 0.0]:
            is_last = before is not None and wait_s == 0.0
            with self.call(agent) as call:
                if before is not None:
                    call.repeats = before.span_id
                self.attempt(call, 1, 0.05, last if is_last else ERROR, **failure)
            before = call
            self.now_s += wait_s

    def heard(self, call: Span, *sources: Span) -> None:
        for source in sources:
            self.log.event("heard", call, str(source.span_id))

    def end(self, status: str = OK) -> list[Finding]:
        self.log.close(self.span, status)
        return findings(self.log.spans, self.log.events)

    def kinds(self, status: str = OK) -> list[str]:
        return [finding.kind for finding in self.end(status)]


@pytest.fixture
def story() -> Story:
    return Story()


def only(found: list[Finding], kind: str) -> Finding:
    (finding,) = (each for each in found if each.kind == kind)
    assert finding.message
    assert finding.advice
    return finding


def test_clean_run_has_no_findings(story: Story) -> None:
    plan = story.reply("planner", input_tokens=500)
    story.now_s = 1.0
    workers = [
        story.reply(f"worker {n}", at_s=1.0, took_s=3.0, input_tokens=3000) for n in range(3)
    ]
    for worker in workers:
        story.heard(worker, plan)
    report = story.reply("writer", input_tokens=9000)
    story.heard(report, *workers)
    story.tries([0.4], agent="late", http_status=529)
    assert story.end() == []


def test_run_without_anything_has_no_findings(story: Story) -> None:
    assert findings(story.log.spans, story.log.events) == []


def test_every_kind_has_a_rule_of_its_name() -> None:
    assert [rule.__name__ for rule in RULES] == [
        "retry_after_ignored", "non_retryable_retried", "retry_storm", "no_back_off", "synchronised_retries",
        "gave_up", "accepted_truncated_stream", "no_timeout", "swallowed_error", "abandoned_call",
        "dead_task", "duplicate_effect", "blocked_arrivals", "blocked_loop", "unbounded_loop",
        "context_growth", "could_run_side_by_side", "cache_misses", "cache_never_read", "step_repetition",
        "unaware_of_termination", "premature_termination", "information_withholding", "ignored_input", "no_verification",
    ]  # fmt: skip
    assert all(rule.__doc__ for rule in RULES)


@pytest.mark.parametrize(("asked_s", "waited_s"), [(20.0, 0.5), (0.4, 0.1), (2.4, 1.0)])
def test_coming_back_sooner_than_asked_is_found(
    story: Story, asked_s: float, waited_s: float
) -> None:
    story.tries([waited_s], http_status=429, retry_after_s=asked_s)
    found = only(story.end(), "retry_after_ignored")
    assert (found.severity, found.agent, found.at_s) == ("warning", "worker", 0.05 + waited_s)


@pytest.mark.parametrize(("asked_s", "waited_s"), [(20.0, 20.0), (2.4, 2.0), (0.0, 0.3)])
def test_coming_back_when_asked_is_not_found(story: Story, asked_s: float, waited_s: float) -> None:
    """A `retry-after` of 2.4 s is sent as 2."""
    story.tries([waited_s], http_status=429, retry_after_s=asked_s)
    assert story.kinds() == []


def test_silence_before_the_retry_is_no_waiting(story: Story) -> None:
    """An attempt that meets silence arrives after it, but was asked for before."""
    with story.call() as call:
        story.attempt(call, 1, 0.05, ERROR, http_status=429, retry_after_s=10.0)
        silence = story.log.open(WAIT, "silence", call, "worker")
        story.now_s += 15.0
        story.log.close(silence)
        story.attempt(call, 2)
    assert story.kinds() == ["retry_after_ignored"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_trying_the_hopeless_again_is_found(story: Story, status: int) -> None:
    story.tries([1.0, 2.0], http_status=status, error="some_error")
    found = only(story.end(), "non_retryable_retried")
    assert found.message == f"tried again after status {status} some_error; and 1 more time"


@pytest.mark.parametrize(
    "failure",
    [
        {"http_status": 429},
        {"http_status": 529},
        {"error": "connection_error"},
        {"error": "reset_midway"},
    ],
)
def test_retry_at_once_is_found(story: Story, failure: dict[str, Any]) -> None:
    story.tries([0.0], **failure)
    assert story.kinds() == ["no_back_off"]


@pytest.mark.parametrize("failure", [{"status": CANCELLED}, {"error": "invalid_json"}])
def test_asking_at_once_for_what_waiting_does_not_mend_is_fine(
    story: Story, failure: dict[str, Any]
) -> None:
    story.tries([0.0], **failure)
    assert story.kinds() == []


def test_storm_is_found_when_retries_triple_the_load(story: Story) -> None:
    for n in range(5):
        story.tries([1.1 + n / 10, 2.3, 4.7, 7.9], at_s=0.7 * n, http_status=529)
    found = only(story.end(), "retry_storm")
    assert (found.severity, found.at_s) == ("serious", 0.0)
    assert found.message == "25 attempts for 5 calls within 60 s"


def test_many_attempts_of_many_calls_are_no_storm(story: Story) -> None:
    for n in range(30):
        story.tries([1.0], agent=f"worker {n}", at_s=0.7 * n, http_status=529)
    assert story.kinds() == []


def test_attempts_spread_over_minutes_are_no_storm(story: Story) -> None:
    story.tries([30.0 + n for n in range(25)], http_status=529)
    assert story.kinds() == []


def test_retries_at_the_same_instants_are_found(story: Story) -> None:
    for n in range(3):
        story.tries([1.0, 2.0], agent=f"worker {n}", at_s=0.0, http_status=529)
    found = only(story.end(), "synchronised_retries")
    assert found.message == "up to 3 calls tried again at the same instant, 2 times"


def test_retries_that_meet_once_are_chance(story: Story) -> None:
    for n in range(3):
        story.tries([1.0, 2.0 + n], agent=f"worker {n}", at_s=0.0, http_status=529)
    assert story.kinds() == []


def test_giving_up_is_serious_when_the_task_fails(story: Story) -> None:
    story.tries([1.0], last=ERROR, http_status=529, error="overloaded_error")
    found = only(story.end(ERROR), "gave_up")
    assert found.severity == "serious"
    assert (
        found.message == "no reply after 2 attempts, the last of them: status 529 overloaded_error"
    )


def test_failure_that_nobody_tells_of_is_swallowed(story: Story) -> None:
    story.tries([1.0], last=ERROR, http_status=529)
    (found,) = story.end()
    assert (found.kind, found.severity) == ("swallowed_error", "serious")


def test_failure_is_not_swallowed_when_the_agent_succeeds_later(story: Story) -> None:
    story.tries([1.0], last=ERROR, http_status=529)
    story.reply(at_s=9.0)
    assert story.kinds() == ["gave_up"]


def test_failure_is_not_swallowed_when_there_is_a_fallback(story: Story) -> None:
    call = story.tries([1.0], last=ERROR, http_status=529)
    story.log.event("fallback", call, "other")
    assert story.kinds() == ["gave_up"]


def test_timeout_that_repeats_itself_is_giving_up_and_a_cancellation_is_not(story: Story) -> None:
    story.tries([1.0, 2.0], status=CANCELLED, last=CANCELLED)
    with story.call("loser", at_s=20.0) as call:
        story.attempt(call, took_s=3.0, status=CANCELLED)
    assert [(it.kind, it.agent) for it in story.end(ERROR)] == [("gave_up", "worker")]


def test_reply_cut_off_and_used_is_found(story: Story) -> None:
    story.reply(fault="cut_stream", input_tokens=700)
    story.reply(input_tokens=900)
    assert story.kinds() == ["accepted_truncated_stream"]


def test_reply_cut_off_and_asked_for_again_is_not_found(story: Story) -> None:
    story.reply(fault="cut_stream", input_tokens=700)
    story.reply(input_tokens=700)
    assert story.kinds() == []


def test_ten_minutes_of_silence_are_found(story: Story) -> None:
    story.tries([1.0])
    with story.call(at_s=2.0) as call:
        story.attempt(call, 1, 600.0, CANCELLED)
        story.attempt(call, 2)
    found = only(story.end(), "no_timeout")
    assert (found.severity, found.at_s) == ("serious", 2.0)
    assert found.message == "waited 10 min 0 s in silence"


def test_stall_in_a_stream_is_silence_and_a_long_reply_is_not(story: Story) -> None:
    story.reply("patient", took_s=700.0, fault="stall")
    story.reply("chatty", took_s=700.0)
    assert [(it.kind, it.agent) for it in story.end() if it.severity == "serious"] == [
        ("no_timeout", "patient")
    ]


def test_attempt_that_hangs_until_the_run_is_stopped_is_found(story: Story) -> None:
    with story.call() as call:
        story.attempt(call, 1, 30.0, CANCELLED, fault="hang")
    assert story.kinds(CANCELLED) == ["no_timeout"]


def test_attempt_in_service_when_the_horizon_comes_is_not_found(story: Story) -> None:
    with story.call() as call:
        story.attempt(call, 1, 30.0, CANCELLED)
    assert story.kinds(CANCELLED) == []


@pytest.mark.parametrize(("calls", "kinds"), [(24, []), (25, ["unbounded_loop"])])
@pytest.mark.parametrize("why", ["heard", "through another", "asked_again", "goes_on", "tool"])
def test_loop_of_many_calls_is_found(story: Story, calls: int, kinds: list[str], why: str) -> None:
    call = story.reply(took_s=0.01)
    for _ in range(calls - 1):
        before = call
        if why == "through another":
            between = story.reply("critic", took_s=0.01)
            story.heard(between, before)
            before = between
        if why == "tool":
            story.log.close(story.log.open(TOOL, "search", story.span, "worker"))
        call = story.reply(took_s=0.01)
        if why in ("heard", "through another"):
            story.heard(call, before)
        elif why != "tool":
            story.log.event(why, call)
    assert story.kinds()[:1] == kinds


@pytest.mark.parametrize("tokens", [[900] * 40, list(range(900, 940)), [900, 30, 5000, 77] * 10])
def test_plain_loop_over_many_texts_is_no_unbounded_one(story: Story, tokens: list[int]) -> None:
    for input_tokens in tokens:
        story.reply(took_s=0.01, input_tokens=input_tokens, output_tokens=1)
    assert story.kinds() == []


def test_loops_of_one_text_each_are_not_one_loop(story: Story) -> None:
    """Thirty texts, each with a draft and its revision."""
    for _ in range(30):
        draft = story.reply(took_s=0.01)
        story.heard(story.reply(took_s=0.01), draft)
    assert story.kinds() == []


def test_many_calls_side_by_side_are_no_loop(story: Story) -> None:
    for _ in range(100):
        story.reply(at_s=0.0)
    assert story.kinds() == []


@pytest.mark.parametrize(
    ("tokens", "is_found"),
    [
        ([20_000, 40_000, 60_000, 80_000, 101_000], True),
        ([10_000, 25_000, 40_000, 55_000, 70_000], True),  # 145,000 in five calls more
        ([10_000, 11_000, 12_000, 13_000, 14_000], False),
        ([20_000, 40_000, 60_000, 120_000], False),
        ([20_000, 40_000, 30_000, 80_000, 90_000, 99_000], False),
        ([100_001] * 5, False),
    ],
)
def test_context_that_grows_towards_its_bound_is_found(
    story: Story, tokens: list[int], is_found: bool
) -> None:
    for input_tokens in tokens:
        story.reply(input_tokens=input_tokens, cache_read_tokens=1)
    assert ("context_growth" in story.kinds()) == is_found


def test_workers_that_hear_the_planner_only_could_run_side_by_side(story: Story) -> None:
    plan = story.reply("planner", took_s=5.0)
    workers = [story.reply(f"worker {n}", took_s=2.0 + n) for n in range(3)]
    report = story.reply("writer")
    for worker in workers:
        story.heard(worker, plan)
    story.heard(report, *workers)
    found = only(story.end(), "could_run_side_by_side")
    assert (found.severity, found.agent, found.at_s) == ("info", "worker 0", 5.0)
    assert "3 calls of worker 0, worker 1, worker 2" in found.message
    assert "save 5 s" in found.message  # 2 + 3 + 4 s become 4 s


def test_calls_that_hear_each_other_through_others_could_not(story: Story) -> None:
    calls = [story.reply(name, took_s=5.0) for name in ("a", "b", "c")]
    story.heard(calls[1], calls[0])
    story.heard(calls[2], calls[1])
    assert story.kinds() == []


def test_call_after_a_reply_that_only_the_program_can_have_read_could_not(story: Story) -> None:
    """A router's reply reaches no prompt; it decides who is asked."""
    story.reply("router", took_s=5.0)
    story.reply("billing", took_s=5.0)
    assert story.kinds() == []


def test_plain_loop_over_inputs_is_no_finding(story: Story) -> None:
    for tokens in (900, 500, 700):
        story.reply(took_s=5.0, input_tokens=tokens, output_tokens=300)
    assert story.kinds() == []


def test_conversation_that_goes_on_could_not(story: Story) -> None:
    for turn in range(3):
        story.reply(took_s=5.0, input_tokens=500 + 400 * turn, output_tokens=300)
    assert story.kinds() == []


def test_call_that_brings_what_a_tool_found_could_not(story: Story) -> None:
    story.reply(took_s=5.0)
    tool = story.log.open(TOOL, "search", story.span, "worker")
    story.now_s += 1.0
    story.log.close(tool)
    story.reply(took_s=5.0)
    assert story.kinds() == []


def test_calls_that_were_refused_at_first_should_not(story: Story) -> None:
    """More of them at once would be refused more often."""
    for _ in range(4):
        story.tries([5.0], http_status=529)
    assert story.kinds() == []


def test_prompt_that_is_sent_again_waits_for_its_reply(story: Story) -> None:
    for _ in range(3):
        story.log.event("asked_again", story.reply(took_s=5.0))
    assert story.kinds() == []


def test_call_after_one_that_failed_could_not(story: Story) -> None:
    story.tries([5.0], last=ERROR, http_status=529)
    story.reply(took_s=5.0)
    assert story.kinds() == ["gave_up"]


def test_wait_that_the_provider_asked_for_is_told_once(story: Story) -> None:
    story.tries([0.0], http_status=429, retry_after_s=5.0)
    assert story.kinds() == ["retry_after_ignored"]


def test_repeated_beginnings_are_priced(story: Story) -> None:
    """10,000 tokens at 3 USD a million: 0.9 of 0.06 USD spared, a quarter of 0.03 USD paid for writing."""
    for n in range(3):
        call = story.reply(at_s=0.0, input_tokens=10_000, output_tokens=0, cost_usd=0.03)
        if n:
            story.log.event("repeated_prefix", call, "10000")
    found = only(story.end(), "cache_misses")
    assert found.message == (
        "20,000 input tokens in 2 calls had been read before, for about $0.0465 more than from a cache"
    )


def test_equal_sizes_alone_are_no_repetition(story: Story) -> None:
    for _ in range(5):
        story.reply(at_s=0.0, input_tokens=5_000, cost_usd=0.015)
    assert story.kinds() == []


def test_repeated_beginning_is_told_without_a_price(story: Story) -> None:
    for n in range(2):
        call = story.reply(at_s=0.0, input_tokens=5_000)
        if n:
            story.log.event("repeated_prefix", call, "5000")
    found = only(story.end(), "cache_misses")
    assert found.message == "5,000 input tokens in 1 call had been read before"


@pytest.mark.parametrize(
    "tokens", [{"input_tokens": 2047}, {"input_tokens": 5000, "cache_read_tokens": 3000}]
)
def test_small_or_cached_input_is_no_miss(story: Story, tokens: dict[str, Any]) -> None:
    for _ in range(3):
        call = story.reply(at_s=0.0, **tokens)
        story.log.event("repeated_prefix", call, "2000")
    assert story.kinds() == []


def wrote(story: Story, calls: int, *, every_s: float = 2.0, **more: Any) -> None:  # noqa: ANN401
    columns = {"input_tokens": 100, "cache_write_tokens": 4_000, "output_tokens": 0, **more}
    for n in range(calls):
        story.reply("clerk", at_s=every_s * n, cost_usd=0.0153, **columns)


def test_cache_that_is_written_again_and_again_is_found(story: Story) -> None:
    """4,000 tokens at 3 USD a million cost 0.015 USD to write and 0.0012 USD to read."""
    wrote(story, 3)
    found = only(story.end(), "cache_never_read")
    assert (found.severity, found.agent, found.times) == ("warning", "clerk", 3)
    assert found.message == (
        "3 calls wrote 12,000 input tokens to the prompt cache, and none read from it; "
        "reading would cost about $0.0276 less"
    )
    assert "differs in each call" in found.advice


@pytest.mark.parametrize(
    ("every_s", "words"), [(0.0, "before the first had filled"), (700.0, '"ttl": "1h"')]
)
def test_advice_depends_on_when_the_calls_came(story: Story, every_s: float, words: str) -> None:
    wrote(story, 4, every_s=every_s)
    assert words in only(story.end(), "cache_never_read").advice


def test_cache_that_is_read_once_is_none(story: Story) -> None:
    wrote(story, 6)
    story.reply("clerk", at_s=20.0, cache_read_tokens=4_000)
    assert "cache_never_read" not in story.kinds()


def test_two_writes_are_no_habit(story: Story) -> None:
    wrote(story, 2)
    assert "cache_never_read" not in story.kinds()


def test_call_that_ran_when_the_program_ended_is_found(story: Story) -> None:
    with story.call("logger") as call:
        story.attempt(call, took_s=3.0, status=CANCELLED)
    story.log.event("abandoned_call", call)
    found = only(story.end(), "abandoned_call")
    assert (found.severity, found.agent) == ("warning", "logger")
    assert found.message == "the program ended while a call still ran, begun 3 s before"


def test_program_that_failed_has_abandoned_nothing(story: Story) -> None:
    with story.call("logger") as call:
        story.attempt(call, took_s=3.0, status=CANCELLED)
    story.log.event("abandoned_call", call)
    assert story.kinds(ERROR) == []


def blocked(story: Story, waited_s: float, how: str = "held_up", place: str = "app.py:7") -> None:
    story.now_s += waited_s
    story.log.event("blocked_loop", story.span, f"{waited_s} {how} {place}")


def test_blocks_of_one_line_are_added_up(story: Story) -> None:
    for _ in range(3):
        blocked(story, 0.04)
    found = only(story.end(), "blocked_loop")
    assert (found.severity, found.at_s, found.times) == ("warning", 0.0, 3)
    assert (
        found.message
        == "app.py:7 blocked the event loop for 120 ms in 3 waits, while other tasks were ready"
    )


def test_block_that_holds_nobody_up_is_a_remark(story: Story) -> None:
    blocked(story, 2.0, "alone")
    assert only(story.end(), "blocked_loop").severity == "info"


def test_short_block_is_none(story: Story) -> None:
    blocked(story, 0.04)
    assert story.kinds() == []


def test_blocks_that_made_tasks_late_are_told_with_them(story: Story) -> None:
    blocked(story, 2.0)
    story.log.event("blocked", story.span, "2.0")
    (found,) = story.end()
    assert found.kind == "blocked_arrivals"
    assert "blocking work for others (at app.py:7) kept" in found.message


def use(story: Story, tool: str = "book", status: str = OK) -> Span:
    span = story.log.open(TOOL, tool, story.span, "worker")
    story.now_s += 1.0
    story.log.close(span, status)
    return span


def again(story: Story, first: Span, what: str = "book('Ulm')") -> Span:
    span = use(story, first.name)
    story.log.event("done_again", span, f"{first.span_id} {what}")
    return span


def test_what_is_done_again_after_a_failed_call_is_found(story: Story) -> None:
    first = use(story)
    story.tries([], last=ERROR, http_status=529)
    again(story, first)
    found = only(story.end(ERROR), "duplicate_effect")
    assert (found.severity, found.agent) == ("warning", "worker")
    assert found.message == "book('Ulm') was done again after a failure, 50 ms after the first time"


def test_what_is_done_again_after_it_was_given_up_is_found(story: Story) -> None:
    again(story, use(story, status=CANCELLED))
    assert story.kinds() == ["duplicate_effect"]


@pytest.mark.parametrize("tool", ["issue_refund", "hash_file", "sendMail", "shop.checkout"])
def test_only_a_whole_word_says_that_a_tool_reads(story: Story, tool: str) -> None:
    again(story, use(story, tool, CANCELLED))
    assert story.kinds() == ["duplicate_effect"]


def test_polling_is_no_duplicate(story: Story) -> None:
    first = use(story)
    second = again(story, first)
    story.tries([], last=ERROR, http_status=529)
    again(story, second)
    assert "duplicate_effect" not in story.kinds(ERROR)


@pytest.mark.parametrize(
    ("tool", "what"),
    [("search_flights", "search_flights('Ulm')"), ("db.get", "db.get(7)"), ("getOrder", "getOrder(7)"), ("book", "book('Ulm', idempotency_key='7')")],
)  # fmt: skip
def test_what_does_no_harm_is_no_duplicate(story: Story, tool: str, what: str) -> None:
    first = use(story, tool)
    story.tries([], last=ERROR, http_status=529)
    again(story, first, what)
    assert "duplicate_effect" not in story.kinds(ERROR)


def test_finding_as_a_text_has_its_kind_and_its_agent(story: Story) -> None:
    story.tries([0.0], http_status=529)
    (found,) = story.end()
    assert str(found) == (
        "warning no_back_off (worker): attempt 2 came at once after status 529. "
        "Back off before each retry, twice as long each time and with jitter."
    )


def test_serious_findings_come_first(story: Story) -> None:
    story.tries([0.0], http_status=429)
    story.reply("other", fault="cut_stream")
    assert story.kinds() == ["accepted_truncated_stream", "no_back_off"]


def test_loop_of_the_program_is_judged_as_retries_are(story: Story) -> None:
    story.loop([0.2] * 29, last=ERROR, http_status=429, retry_after_s=30.0)
    found = story.end(ERROR)
    assert {"retry_after_ignored", "retry_storm", "gave_up"} <= {each.kind for each in found}
    assert only(found, "gave_up").message.startswith("no reply after 30 attempts in 30 calls")


def test_call_that_the_program_repeats_is_not_given_up(story: Story) -> None:
    story.loop([1.0, 2.0], http_status=529)
    assert story.kinds() == []


def test_loops_in_lockstep_are_found(story: Story) -> None:
    for n in range(3):
        story.loop([1.0, 2.0], agent=f"worker {n}", at_s=0.0, http_status=529)
    found = only(story.end(), "synchronised_retries")
    assert found.message == "up to 3 calls tried again at the same instant, 2 times"


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "API key"), (402, "credit"), (404, "name"), (413, "less"), (422, "request is wrong")],
)
def test_advice_on_what_never_passes_is_to_correct_it(
    story: Story, status: int, advice: str
) -> None:
    story.tries([1.0], last=ERROR, http_status=status)
    found = story.end(ERROR)
    assert only(found, "non_retryable_retried").severity == "warning"
    assert advice in only(found, "gave_up").advice


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500])
def test_what_may_pass_may_be_retried(story: Story, status: int) -> None:
    story.tries([1.0], http_status=status)
    assert story.kinds() == []


def test_agent_that_is_told_its_own_replies_could_not(story: Story) -> None:
    """Where all its replies are equal, the first is taken for the source of each prompt."""
    first = story.reply(took_s=5.0)
    for _ in range(4):
        story.heard(story.reply(took_s=5.0), first)
    assert story.kinds() == []


def test_second_loop_over_what_the_first_brought_is_no_unbounded_one(story: Story) -> None:
    """Each of its calls is told all that the first loop brought, and nothing of its own."""
    first = [story.reply(took_s=0.01) for _ in range(20)]
    for _ in range(30):
        story.heard(story.reply(took_s=0.01), *first)
    assert story.kinds() == []


@pytest.mark.parametrize(
    "times",
    [
        [(0.0, 9.0), (0.0, 8.0), (0.0, 2.0), (2.0, 2.0), (4.0, 2.0), (6.0, 3.0)],
        [(0.0, 2.0), (0.0, 2.0), (2.0, 2.0), (2.0, 2.0), (4.0, 2.0), (4.0, 2.0)],
    ],
)
def test_calls_behind_a_gate_are_side_by_side_already(
    story: Story, times: list[tuple[float, float]]
) -> None:
    """Two or three at once, of six: some follow one another."""
    for at_s, took_s in times:
        story.reply(at_s=at_s, took_s=took_s)
    assert story.kinds() == []
