"""Damage that faults do to the bytes of an answer.

An answer is a plan: at which time which operation of the connection. Damage turns one plan into another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from harness.errors import HarnessBug
from harness.models.verdict import Break
from harness.provider import Refusal
from harness.wire.http import Connection, Failure, HttpResponse, Part

FAILURES: dict[str, Failure] = {
    "refused": "refused",
    "reset": "reset",
    "timeout": "timeout",
    "tls": "tls",
    "dns": "dns",
}
"""The damages after which there is no answer at all."""

PAGE = HttpResponse(
    502,
    [("Content-Type", "text/html"), ("Server", "cloudflare")],
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n",
)
"""What a proxy answers that does not reach its server."""

_DRIP_BYTES = 16
"""How much comes at a time when an answer drips."""


class Step(NamedTuple):
    """One thing to do with a connection."""

    at_s: float
    """When [s]; infinity means never."""
    do: Callable[[Connection], None]


def plan_of(response: HttpResponse, first_s: float, last_s: float) -> Iterator[Step]:
    """The plan of an undamaged answer.

    Args:
        response: The answer.
        first_s: When the first token is there [s].
        last_s: When the last one is [s].
    """
    if isinstance(response.body, bytes):
        yield Step(last_s, lambda connection: connection.respond(response))
        return
    yield Step(first_s, lambda connection: connection.begin(response))
    for part in response.body:
        yield _sent(first_s + (last_s - first_s) * part.share, part.data)
    yield Step(last_s, lambda connection: connection.finish())


def damaged(
    broken: Break,
    response: HttpResponse,
    first_s: float,
    last_s: float,
    error: Callable[[Refusal], HttpResponse],
    break_off: Callable[[Refusal], bytes],
) -> Iterator[Step]:
    """The plan of the same answer under a fault.

    Args:
        broken: The fault.
        response: The answer.
        first_s: When the first token is there [s].
        last_s: When the last one is [s].
        error: Writes an error instead of an answer.
        break_off: Writes an error into a stream.
    """
    middle_s = first_s + (last_s - first_s) * broken.after
    streamed = not isinstance(response.body, bytes)
    match broken.damage:
        case "error_body":
            body = error(Refusal("overloaded_error"))
            yield from plan_of(replace(body, status=200), first_s, first_s)
        case "error_event" if not streamed:
            yield from plan_of(error(Refusal("overloaded_error")), first_s, first_s)
        case "cut" | "invalid_json" if not (broken.damage == "cut" and streamed):
            yield from plan_of(_garbled(response, broken.after), first_s, last_s)
        case "corrupt_gzip":
            headers = [*response.headers, ("Content-Encoding", "gzip")]
            wrong = HttpResponse(200, headers, b"not compressed")
            yield from plan_of(wrong, first_s, last_s)
        case "drip":
            yield from _drip(response, first_s, last_s + (broken.for_s or 0.0))
        case "stall":
            late_s = math.inf if broken.for_s is None else broken.for_s
            yield from _stalled(broken.after, response, first_s, last_s, late_s)
        case "duplicate_tool_ids":
            yield from plan_of(response, first_s, last_s)
        case _:
            yield from _until(broken, response, first_s, last_s)
            for do in _end(broken, break_off):
                yield Step(middle_s, do)


def _end(
    broken: Break, break_off: Callable[[Refusal], bytes]
) -> Iterator[Callable[[Connection], None]]:
    """The plan of an answer that is cut off."""
    match broken.damage:
        case "error_event":
            yield lambda connection: connection.send(break_off(Refusal("overloaded_error")))
            yield lambda connection: connection.finish()
        case "cut":
            yield lambda connection: connection.finish()
        case "reset_midway":
            yield lambda connection: connection.close("reset")
        case "truncated_json":
            yield lambda connection: connection.close()
        case "corrupt_chunk":
            yield lambda connection: connection.send_raw(b"zz\r\nnot a chunk\r\n")
            yield lambda connection: connection.close()
        case _:
            raise HarnessBug(f"no answer can have the damage {broken.damage!r}")


def _sent(at_s: float, data: bytes) -> Step:
    return Step(at_s, lambda connection: connection.send(data))


def _until(broken: Break, response: HttpResponse, first_s: float, last_s: float) -> Iterator[Step]:
    """The part of an answer that arrives, and never all of it."""
    share = broken.after
    if isinstance(response.body, bytes):
        arrives = response.body[: min(int(len(response.body) * share), len(response.body) - 1)]
        head = replace(response, body=[]) if broken.damage == "corrupt_chunk" else response
        at_s = first_s + (last_s - first_s) * share
        yield Step(at_s, lambda connection: connection.begin(head))
        yield _sent(at_s, arrives)
        return
    yield Step(first_s, lambda connection: connection.begin(response))
    for part in response.body[:-1]:
        if part.share <= share:
            yield _sent(first_s + (last_s - first_s) * part.share, part.data)


def _stalled(
    share: float, response: HttpResponse, first_s: float, last_s: float, late_s: float
) -> Iterator[Step]:
    """The answer, of which what lies beyond a share comes later."""
    if isinstance(response.body, bytes):
        yield Step(last_s + late_s, lambda connection: connection.respond(response))
        return
    yield Step(first_s, lambda connection: connection.begin(response))
    for part in response.body:
        on_time_s = first_s + (last_s - first_s) * part.share
        yield _sent(on_time_s if part.share <= share else on_time_s + late_s, part.data)
    yield Step(last_s + late_s, lambda connection: connection.finish())


def _garbled(response: HttpResponse, share: float) -> HttpResponse:
    """The answer, valid as HTTP and invalid as JSON."""
    if isinstance(response.body, bytes):
        return replace(response, body=response.body[: int(len(response.body) * share)])
    parts = list(response.body)
    place = min(int(len(parts) * share), len(parts) - 1)
    wrong = parts[place].data.rstrip()
    parts[place] = Part(wrong[: max(len(wrong) - 2, 0)] + b"\n\n", parts[place].share)
    return replace(response, body=parts)


def _drip(response: HttpResponse, first_s: float, last_s: float) -> Iterator[Step]:
    """The answer in tiny pieces, evenly spread over the time."""
    body = response.body
    data = body if isinstance(body, bytes) else b"".join(part.data for part in body)
    pieces = [data[at : at + _DRIP_BYTES] for at in range(0, len(data), _DRIP_BYTES)]
    yield Step(first_s, lambda connection: connection.begin(response))
    for number, piece in enumerate(pieces, 1):
        yield _sent(first_s + (last_s - first_s) * number / len(pieces), piece)
    yield Step(last_s, lambda connection: connection.finish())
