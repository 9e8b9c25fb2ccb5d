"""Events about a program outside its requests: blocked loops, and unfinished work at its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from harness.kernel.current_world import lineage_here
from harness.kernel.watcher import AGENTS, Blocking, Death, Watcher
from harness.spans import CANCELLED, DEADLOCK, Span, SpanLog
from harness.wire.call import Call
from harness.wire.effects import Effect
from harness.wire.routing import Scope, scope_here

_ERROR_LENGTH_MAX = 200
"""Longer texts of errors are cut [characters]."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Notes(Watcher):
    """The notes of one run.

    Args:
        log: Where they go.
        root: What belongs to no scope.
        calls: The calls that were made so far.
    """

    def __init__(self, log: SpanLog, root: Scope, calls: Callable[[], Sequence[Call]]) -> None:
        self._log = log
        self._root = root
        self._calls = calls
        self._left: dict[Call, float] = {}
        """Calls that ran when the program ended, and when that was [s]."""
        self._is_deadlocked = False

    def blocked(self, waited_s: float, what: Blocking, place: str, *, held_up: bool) -> None:
        """Note a blocked loop, with the call that blocks it if it is one."""
        mine = lineage_here()
        call = next((call for call in reversed(self._calls()) if call.caller is mine), None)
        span = scope_here(self._root).span if what == "wait" or call is None else call.span
        detail = f"{waited_s} {'held_up' if held_up else 'alone'} {place}"
        self._log.event("blocked_loop", span, detail)

    def ended(self) -> None:
        """Remember the calls that still run; whether they are abandoned shows when the run is cleared away."""
        now_s = self._log.clock()
        for call in self._calls():
            stops = call.caller is not None and call.caller.is_being_cancelled
            if call.is_open and call.awaited and not stops:
                self._left[call] = now_s

    def agent_of(self, doer: object) -> str:
        """The agent whose calls a task or thread makes, if they are of one."""
        mine = getattr(doer, "lineage", None)
        agents = {call.agent: None for call in self._calls() if call.caller is mine is not None}
        return next(iter(agents)) if len(agents) == 1 else ""

    def deadlocked(self, words: str) -> None:
        """Note that nothing can run again, once."""
        if self._is_deadlocked:
            return
        self._is_deadlocked = True
        self._log.event(DEADLOCK, self._root.span, words.removeprefix(AGENTS.strip()).strip())

    def died(self, death: Death) -> None:
        """Record a task whose exception was never retrieved, for the agent of its last call."""
        error = _ADDRESS.sub("", f"{type(death.error).__name__}: {death.error}".splitlines()[0])
        detail = f"{death.task} died of {error[:_ERROR_LENGTH_MAX]}"
        mine = [call for call in self._calls() if call.caller is death.lineage is not None]
        self._log.event("dead_task", mine[-1].span if mine else self._root.span, detail)

    def end(self, done: Sequence[tuple[Effect, Span | None]]) -> None:
        """Record findings that only the end of the run shows.

        Args:
            done: What tools did, each with its span.
        """
        for call, ended_s in self._left.items():
            if call.span.status == CANCELLED and call.span.end_s == ended_s:
                self._log.event("abandoned_call", call.span)
        for effect, first, again in _pairs(done):
            self._log.event("done_again", again, f"{first.span_id} {effect}")


def _pairs(done: Sequence[tuple[Effect, Span | None]]) -> Iterator[tuple[Effect, Span, Span]]:
    """Effects that are equal to one before, in the same task: the effect, and the spans of both."""
    simulated = {effect.tool for effect, _ in done if effect.seen == "program"}
    last: dict[tuple[int, Effect], Span] = {}
    for effect, span in done:
        if span is None or (effect.seen == "wire" and effect.tool in simulated):
            continue  # it was seen at its other end as well
        before = last.get((span.task, effect))
        if before is not None:
            yield effect, before, span
        last[span.task, effect] = span
