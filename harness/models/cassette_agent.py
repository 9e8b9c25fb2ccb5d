"""An agent whose replies are recorded: a cassette in the place of a script.

A call is given the recording of the same request, where there is one; else that of the same last text of the user; else the next.
So a pattern, whose prompts are no recorded bytes, replays a recorded run. Another order than the recorded one is allowed where
the calls overlapped when they were recorded; elsewhere it is an error, because a later call knew what an earlier one said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.cassettes import Cassette, CassetteError, Interaction
from harness.cassettes.asked import last_user_text_of
from harness.cassettes.said import error_in, said_in
from harness.models.api import Reply, Request
from harness.models.recorded import ReplayLatency, reply_of


@dataclass(slots=True)
class _Call:
    """One recorded call: an interaction for each of its attempts."""

    attempts: list[Interaction]
    text: str
    """The last text of the user."""

    @property
    def numbers(self) -> str:
        """Its interactions, in words."""
        return f"interaction {self.attempts[0].number}"

    def overlaps(self, other: _Call) -> bool:
        """Whether it was under way at the same time as another; so it is taken where no times are known."""
        spans = [_span_s(call) for call in (self, other)]
        if None in spans:
            return False
        (begin, end), (other_begin, other_end) = (span for span in spans if span is not None)
        return begin < other_end and other_begin < end


def _span_s(call: _Call) -> tuple[float, float] | None:
    times = [one.response.timing for one in call.attempts]
    if not all(times):
        return None
    return (
        min(time.start_s for time in times if time is not None),
        max(time.start_s + time.end_s for time in times if time is not None),
    )


@dataclass(slots=True)
class CassetteAgent:
    """A model that replies as recorded; every task replays the recording from its beginning.

    Args:
        cassette: The recording.
        agent: Whose replies are given: those that were recorded of an agent of that name; all, if there are none.
        latency: How long they take.
    """

    cassette: Cassette
    agent: str
    latency: ReplayLatency = "recorded"
    used: set[int] = field(default_factory=set)
    """Numbers of the interactions that were given."""
    _calls: list[_Call] = field(default_factory=list)
    _left: dict[int, list[_Call]] = field(default_factory=dict)
    """The calls that are left, by task."""
    _given: dict[str, tuple[_Call, int]] = field(default_factory=dict)
    """By key of a call: its recording, and how many attempts were given."""

    def __post_init__(self) -> None:
        self._calls = _calls_of(self.cassette, self.agent)
        if not self._calls:
            raise CassetteError(
                f"{self.cassette.path}: no call of a model is recorded, so agent {self.agent!r} has no replies"
            )

    def reply(self, request: Request) -> Reply:
        """The recorded reply.

        Raises:
            CassetteError: The recording has no further call, or the calls are made in another order.
        """
        call, served = self._given.get(request.key) or (self._next(request), 0)
        one = call.attempts[min(served, len(call.attempts) - 1)]
        self._given[request.key] = (call, served + 1)
        self.used.add(one.number)
        is_same = bool(request.body) and request.body == one.request.body
        return reply_of(one.response, self.latency, as_bytes=is_same)

    def _next(self, request: Request) -> _Call:
        left = self._left.setdefault(request.call_span.task, list(self._calls))
        if not left:
            raise CassetteError(
                f"{self.cassette.path}: agent {request.agent!r} makes call {request.call_in_task} of one task, and "
                f"{len(self._calls)} are recorded\n"
                "  How to fix: see why it is called so often, or record it again"
            )
        place = _place_in(left, request)
        found = left[place]
        skipped = [call for call in left[:place] if not call.overlaps(found)]
        if skipped:
            raise CassetteError(
                f"{self.cassette.path}: agent {request.agent!r} asks for what {found.numbers} answers, before it asked what "
                f"{skipped[0].numbers} answers; these did not overlap when they were recorded\n"
                "  How to fix: record the program again"
            )
        del left[place]
        return found


def _place_in(left: Sequence[_Call], request: Request) -> int:
    """The call that answers a request: the same one, one with the same last text, or the first."""
    if request.body:
        same = [
            place
            for place, call in enumerate(left)
            if call.attempts[0].request.body == request.body
        ]
        if same:
            return same[0]
    text = request.last_user_text
    return next((place for place, call in enumerate(left) if text and call.text == text), 0)


def _calls_of(cassette: Cassette, agent: str) -> list[_Call]:
    """The recorded calls of an agent, in order, each with its attempts."""
    of_models = [
        one
        for one in cassette.interactions
        if said_in(one.response) is not None or error_in(one.response) is not None
    ]
    own = [one for one in of_models if one.agent == agent] or of_models
    calls: dict[object, _Call] = {}
    for one in own:
        name: object = (one.agent, one.call) if one.call else one.number
        if name in calls:
            calls[name].attempts.append(one)
        else:
            calls[name] = _Call([one], last_user_text_of(one.request))
    return list(calls.values())
