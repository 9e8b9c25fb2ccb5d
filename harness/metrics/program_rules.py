"""Findings about a program outside its calls: unfinished calls at its end, a blocked loop, repeated tool effects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.metrics.history import (
    ABANDONED_CALL,
    BLOCKED,
    BLOCKED_LOOP,
    DEAD_TASK,
    DONE_AGAIN,
    Happening,
    History,
    Use,
)
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.spans import CANCELLED
from harness.units import render

SLOW_S = 0.1
"""What asyncio calls slow in its debug mode (`loop.slow_callback_duration`) [s]."""

_READING = frozenset(
    [
        "ask",
        "browse",
        "calculate",
        "check",
        "compute",
        "count",
        "current",
        "describe",
        "exists",
        "fetch",
        "find",
        "get",
        "has",
        "is",
        "list",
        "load",
        "look",
        "lookup",
        "now",
        "ping",
        "poll",
        "query",
        "read",
        "retrieve",
        "search",
        "select",
        "show",
        "status",
        "view",
    ]
)
"""First words of the names of tools that change nothing."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

_HAS_KEY = re.compile(r"idempot|dedup|request_?id|transaction_?id", re.IGNORECASE)
"""How arguments are named by which a service knows what it has done already."""


def abandoned_call(history: History) -> list[Finding]:
    """The program ended well while a call that it had started still ran."""
    by_id = {call.span_id: call for call in history.calls}
    seen = (
        Sighting(
            event.agent,
            call.begin_s,
            call.span_id,
            f"the program ended while a call still ran, begun {render('s', call.end_s - call.begin_s)} before",
        )
        for event in history.named(ABANDONED_CALL)
        if (call := by_id.get(event.span_id)) is not None and history.ended_well(call.task)
    )
    advice = (
        "Await what was started, or cancel it: a task group (`asyncio.TaskGroup`) does both. The call is paid for and its "
        "reply lost, and `assert_called` counts it."
    )
    return one_an_agent("abandoned_call", "warning", seen, advice)


def dead_task(history: History) -> list[Finding]:
    """A task of the program failed, and its exception was never retrieved."""
    seen = (
        Sighting(
            event.agent,
            event.at_s,
            event.span_id,
            f"the task {event.detail}, and its exception was never retrieved",
        )
        for event in history.named(DEAD_TASK)
    )
    advice = "Keep the task and await it, or start it in a task group (`asyncio.TaskGroup`), which fails with it."
    return one_an_agent("dead_task", "serious", seen, advice)


def blocked_loop(history: History) -> list[Finding]:
    """A blocking call or wait held the event loop; told as late tasks where tasks began late because of it."""
    if history.named(BLOCKED):
        return []
    blocks: dict[tuple[str, str], list[_Block]] = {}
    for event in history.named(BLOCKED_LOOP):
        block = _Block.of(event)
        blocks.setdefault((block.agent, block.place), []).append(block)
    found = []
    for (agent, place), all_ in blocks.items():
        total_s = sum(block.waited_s for block in all_)
        if total_s < SLOW_S:
            continue
        held_up = any(block.held_up for block in all_)
        message = f"{place} blocked the event loop for {render('s', total_s)}"
        if len(all_) > 1:
            message += f" in {len(all_)} waits"
        message += (
            ", while other tasks were ready" if held_up else "; no other task was ready meanwhile"
        )
        advice = "Use the async client, `await asyncio.sleep`, or `await asyncio.to_thread(...)` for what cannot be awaited."
        first = all_[0]
        found.append(
            Finding(
                "blocked_loop",
                "warning" if held_up else "info",
                agent,
                first.began_s,
                first.span_id,
                message,
                advice,
                len(all_),
            )
        )
    return found


class _Block(NamedTuple):
    """One time that the loop was blocked."""

    agent: str
    place: str
    began_s: float
    waited_s: float
    held_up: bool
    span_id: int

    @classmethod
    def of(cls, event: Happening) -> _Block:
        waited, held_up, place = event.detail.split(" ", 2)
        waited_s = float(waited)
        began_s = event.at_s - waited_s
        return cls(
            event.agent,
            place or "the program",
            began_s,
            waited_s,
            held_up == "held_up",
            event.span_id,
        )


def duplicate_effect(history: History) -> list[Finding]:
    """A tool did the same twice, because the program went through a step again that had failed.

    A tool that was used again without a failure between is polled, and one whose name says that it only reads may be.
    """

    def seen() -> Iterator[Sighting]:
        pairs = list(_pairs(history))
        polled = {
            what for what, first, again in pairs if not _failed_between(first, again, history)
        }
        for what, first, again in pairs:
            if what in polled or _only_reads(again.tool) or _HAS_KEY.search(what):
                continue
            text = f"{what} was done again after a failure, {render('s', again.begin_s - first.end_s)} after the first time"
            yield Sighting(again.agent, again.begin_s, again.span_id, text)

    advice = (
        "Do not repeat what has been done when a later part of the step fails: keep its result, or give the tool a key by which "
        "it knows what it has done already (an idempotency key)."
    )
    return one_an_agent("duplicate_effect", "warning", seen(), advice)


def may_be_repeated(tool: str, arguments: str) -> bool:
    """Whether doing the same with a tool again is harmless: by its name it only reads, or it is given a key of what was done."""
    return _only_reads(tool) or _HAS_KEY.search(arguments) is not None


def _only_reads(tool: str) -> bool:
    words = _WORD.findall(tool.rpartition(".")[2])
    return bool(words) and words[0].lower() in _READING


def _pairs(history: History) -> Iterator[tuple[str, Use, Use]]:
    for event in history.named(DONE_AGAIN):
        first, what = event.detail.split(" ", 1)
        if int(first) in history.uses and event.span_id in history.uses:
            yield what, history.uses[int(first)], history.uses[event.span_id]


def _failed_between(first: Use, again: Use, history: History) -> bool:
    """Whether a call of the same task failed between two uses of a tool, or the first use was given up."""
    if first.status == CANCELLED:
        return True
    return any(
        call.task == again.task
        and call.attempts
        and call.served is None
        and first.end_s <= call.end_s <= again.begin_s
        and again.agent in ("", call.agent)
        for call in history.calls
    )
