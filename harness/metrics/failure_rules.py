"""Findings about failures: whether a program notices, waits out and reports them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.metrics.history import BATCHED, IN_BACKGROUND, Attempt, CallRecord, History
from harness.metrics.hopeless import what_to_correct
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.spans import CANCELLED, ERROR, OK
from harness.units import render

SILENCE_S = 600.0
"""The SDKs' default timeout (anthropic/_constants.py and openai/_constants.py, DEFAULT_TIMEOUT) [s]."""

_SAME_S = 0.001
"""Times that differ by less are the same, on a clock that adds up floats [s]."""


def gave_up(history: History) -> list[Finding]:
    """No attempt of a call got a reply, and the program did not repeat it; the task failed, or another call replaced it."""
    of_agent = history.by_agent()
    failed = [call for call in history.calls if failed_for_good(call)]
    well = (
        _given_up(call)
        for call in failed
        if history.ended_well(call.task)
        and _replaced(call, of_agent[call.task, call.agent], history)
    )
    badly = (
        _given_up(call)._replace(advice=what_to_correct(call.attempts[-1].http_status))
        for call in failed
        if not history.ended_well(call.task)
    )
    return [
        *one_an_agent(
            "gave_up", "serious", badly,
            "Give the call a fallback, or more attempts over a longer time than the trouble lasts.",
        ),
        *one_an_agent(
            "gave_up", "info", well,
            "Another call took its place; check that its output is as good.",
        ),
    ]  # fmt: skip


def swallowed_error(history: History) -> list[Finding]:
    """A call failed permanently, no other call replaced it, and the task succeeded."""
    of_agent = history.by_agent()
    seen = (
        _given_up(call)
        for call in history.calls
        if failed_for_good(call)
        and history.ended_well(call.task)
        and not _replaced(call, of_agent[call.task, call.agent], history)
    )

    advice = "The output may be incomplete: say so in it, or let the task fail."
    return one_an_agent("swallowed_error", "serious", seen, advice)


def accepted_truncated_stream(history: History) -> list[Finding]:
    """A truncated stream was used as a whole reply: the program did not repeat the request."""

    def seen() -> Iterator[Sighting]:
        for calls in history.by_agent().values():
            for number, call in enumerate(calls):
                cut = call.attempts[-1] if call.attempts else None
                if cut is None or cut.fault != "cut_stream" or cut.status != OK:
                    continue
                if not any(_asks_again(cut, later) for later in calls[number + 1 :]):
                    text = "a reply whose stream was cut off was used as if it were whole"
                    yield Sighting(call.agent, cut.end_s, cut.span_id, text)

    advice = "Check that a stream ended with its last event and a stop reason before using what it brought."
    return one_an_agent("accepted_truncated_stream", "serious", seen(), advice)


def no_timeout(history: History) -> list[Finding]:
    """An attempt waited without a response for as long as the default timeout, or without limit.

    For ever is: it met a fault, and was still open at the end of a task that was stopped. For a request of a batch or in the
    background no client waits; it may take a day.
    """
    unawaited = {
        event.span_id for name in (BATCHED, IN_BACKGROUND) for event in history.named(name)
    }

    def seen() -> Iterator[Sighting]:
        for call in history.calls:
            if call.span_id in unawaited:
                continue
            for attempt in call.attempts:
                waited_s = _silent_s(attempt)
                if waited_s >= SILENCE_S - _SAME_S:
                    text = f"waited {render('s', waited_s)} in silence"
                    yield Sighting(call.agent, attempt.asked_s, attempt.span_id, text)
                elif _was_open_at_the_stop(attempt, call, history):
                    text = f"still waited when the run was stopped, {render('s', waited_s)} after it asked"
                    yield Sighting(call.agent, attempt.asked_s, attempt.span_id, text)

    advice = (
        "Give the client a timeout of the order of its slowest good reply, and stream long replies."
    )
    return one_an_agent("no_timeout", "serious", seen(), advice)


def failed_for_good(call: CallRecord) -> bool:
    """Whether a call ended without a reply because of a failure, and not because it was cancelled.

    One that the program repeats has not: the last repetition decides.
    """
    if not call.attempts or call.served is not None or call.is_repeated:
        return False
    *before, last = _tries(call)
    if last.status == ERROR or call.status == ERROR:
        return True
    # A client's timeout repeats itself; a cancellation from outside does not.
    return any(
        each.status == CANCELLED and abs(_took_s(each) - _took_s(last)) < _SAME_S for each in before
    )


def _given_up(call: CallRecord) -> Sighting:
    last = call.attempts[-1]
    why = last.error or "a timeout"
    if last.http_status != -1:
        why = f"status {last.http_status} {last.error}".rstrip()
    attempts, calls = len(_tries(call)), len(call.chain)
    tries = f"{attempts} attempt{'s' if attempts > 1 else ''}"
    if calls > 1:
        tries += f" in {calls} calls"
    text = f"no reply after {tries}, the last of them: {why}"
    return Sighting(call.agent, last.end_s, call.span_id, text)


def _tries(call: CallRecord) -> list[Attempt]:
    """The attempts of a call, behind those of the calls that it repeats."""
    return [attempt for each in call.chain for attempt in each.attempts]


def _replaced(failed: CallRecord, calls: list[CallRecord], history: History) -> bool:
    """Whether the agent succeeded later, or had a fallback."""
    return any(
        later.begin_s >= failed.end_s and later.served is not None for later in calls
    ) or any(
        event.task == failed.task and event.agent == failed.agent and event.at_s >= failed.end_s
        for event in history.named("fallback")
    )


def _asks_again(cut: Attempt, later: CallRecord) -> bool:
    return later.begin_s >= cut.end_s and any(
        attempt.prompt_tokens == cut.prompt_tokens for attempt in later.attempts
    )


def _took_s(attempt: Attempt) -> float:
    return attempt.end_s - attempt.asked_s


def _silent_s(attempt: Attempt) -> float:
    """The longest time in which nothing was heard [s]: before the first token, or in a stall after it."""
    if attempt.first_token_s != attempt.first_token_s:
        return _took_s(attempt)
    stalled_s = attempt.end_s - attempt.first_token_s if attempt.fault == "stall" else 0.0
    return max(attempt.first_token_s - attempt.asked_s, stalled_s)


def _was_open_at_the_stop(attempt: Attempt, call: CallRecord, history: History) -> bool:
    status, end_s = history.tasks.get(call.task, (CANCELLED, attempt.end_s))
    return (
        attempt.status == CANCELLED
        and attempt.fault != ""
        and status == CANCELLED
        and attempt.end_s >= end_s - _SAME_S
    )
