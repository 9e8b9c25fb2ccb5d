"""Recorded responses as bytes on a connection: each piece at its time, errors and broken streams included."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from harness.cassettes import RecordedResponse
from harness.errors import HarnessError
from harness.models import Recording, Reply
from harness.provider.service import Attempt
from harness.wire.api import Completion, Prompt, Stop
from harness.wire.damage import Step
from harness.wire.http import HttpResponse, Part

_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
"""Headers that tell how a body was sent; it is framed anew."""


def completion_of(reply: Reply) -> Completion | None:
    """What a recorded reply is on the wire; None of one that was not recorded, or whose bytes are written anew."""
    if reply.recorded is None or not reply.recorded.as_bytes:
        return None
    stop: Stop = "tool_use" if reply.tool_calls else "end"
    if reply.truncated:
        stop = "max_tokens"
    if reply.refused:
        stop = "refusal"
    return Completion(reply, reply.recorded.usage, stop)


def without_recording(spoken: Completion, prompt: Prompt) -> Completion:
    """A reply that is written anew, because a fault changes it.

    Raises:
        HarnessError: The simulated API cannot write a reply to this request.
    """
    if prompt.only_recorded:
        raise HarnessError(
            f"a fault changes the reply to a request of {prompt.model!r} that the simulated API would reject, so it can "
            "only be replayed as it was recorded\n  How to fix: exempt its agent or model from the fault"
        )
    return spoken._replace(reply=spoken.reply._replace(recorded=None, body=b""))


def response_of(recorded: RecordedResponse) -> HttpResponse:
    """A recorded response: a stream in parts, each with its share of the time between the first and the last."""
    headers = [
        (name, _sendable(value)) for name, value in recorded.headers if name.lower() not in _FRAMING
    ]
    timing = recorded.timing
    if not recorded.is_stream:
        return HttpResponse(recorded.status, headers, recorded.body)
    if timing is None:
        events = list(_events(recorded.body))
        last = max(1, len(events) - 1)
        parts = [Part(data, place / last) for place, data in enumerate(events)]
    else:
        span_s = (timing.end_s - timing.first_s) or 1.0
        parts = [
            Part(data, (at_s - timing.first_s) / span_s) for at_s, data in recorded.pieces if data
        ]
    return HttpResponse(recorded.status, headers, parts)


def _sendable(value: str) -> str:
    one_line = " ".join(value.splitlines())
    return one_line.encode("latin-1", "replace").decode("latin-1")


def _events(body: bytes) -> Iterator[bytes]:
    """The events of a stream, each with the empty line behind it."""
    ends, place = [0], 0
    while (place := body.find(b"\n\n", place)) >= 0:
        place += 2
        ends.append(place)
    if ends[-1] < len(body):
        ends.append(len(body))
    return (body[begin:end] for begin, end in pairwise(ends))


def steps_of(recording: Recording, attempt: Attempt) -> Iterator[Step]:
    """The plan of a recorded response without damage.

    Its pieces come at their recorded times; where the attempt takes longer or shorter than was recorded, in proportion.
    Where no times are recorded, events are spread over the time that the attempt takes.

    Args:
        recording: The recording.
        attempt: The attempt, in service.
    """
    recorded, timing = recording.response, recording.response.timing
    response = response_of(recorded)
    start_s, end_s = attempt.start_s, attempt.end_s
    whole = timing is None or timing.complete
    if isinstance(response.body, bytes):
        if whole:
            yield Step(end_s, lambda connection: connection.respond(response))
        else:
            yield Step(end_s, lambda connection: connection.close("reset"))
        return
    if timing is None or recording.latency is None:
        first_s = attempt.first_token_s
        yield Step(first_s, lambda connection: connection.begin(response))
        for part in response.body:
            yield _sent(first_s + (end_s - first_s) * part.share, part.data)
    else:
        scale = 1.0
        if (
            attempt.latency_factor != 1.0
            or attempt.stated
            or recording.latency.total_s != timing.end_s
        ):
            scale = (end_s - start_s) / timing.end_s if timing.end_s else 0.0
        yield Step(
            start_s + timing.headers_s * scale, lambda connection: connection.begin(response)
        )
        for at_s, data in recorded.pieces:
            if data:
                yield _sent(start_s + at_s * scale, data)
    if whole:
        yield Step(end_s, lambda connection: connection.finish())
    else:
        yield Step(end_s, lambda connection: connection.close("reset"))


def _sent(at_s: float, data: bytes) -> Step:
    return Step(at_s, lambda connection: connection.send(data))


def plain_steps(recorded: RecordedResponse, now_s: float, default_s: float) -> Iterator[Step]:
    """The plan of a recorded response that is no reply of a model.

    Args:
        recorded: The response.
        now_s: When it was asked for [s].
        default_s: How long it takes if the recording does not say [s].
    """
    stated, timing = recorded.stated_s, recorded.timing
    took_s = timing.end_s if timing is not None else stated[1] if stated is not None else default_s
    response = response_of(recorded)
    if isinstance(response.body, bytes):
        yield Step(now_s + took_s, lambda connection: connection.respond(response))
        return
    first_s = now_s + (took_s if timing is None else timing.first_s)
    yield Step(first_s, lambda connection: connection.begin(response))
    for part in response.body:
        yield _sent(first_s + (now_s + took_s - first_s) * part.share, part.data)
    yield Step(now_s + took_s, lambda connection: connection.finish())
