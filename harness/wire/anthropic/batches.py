"""Message batches: many requests at once, answered within virtual minutes to an hour, beside the rate limits.

How long the real API takes is not published beyond "most batches finish in less than an hour" and the end after 24 hours
(https://docs.claude.com/en/docs/build-with-claude/batch-processing). Here a batch takes from two minutes to an hour, each
factor as likely as the other, and its requests are answered one after the other, evenly over that time. Contents come from
the agents when the results are first read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.wire.anthropic.checks import Table, as_table, list_at, table_at, text_at
from harness.wire.anthropic.errors import Rejection, error_body, invalid, not_found
from harness.wire.anthropic.headers import BASE58, encode, rfc3339
from harness.wire.anthropic.page import page
from harness.wire.anthropic.reply import message
from harness.wire.api import Desk, Ids, Moment, Prompt
from harness.wire.http import HttpRequest

_MIN_S, _MAX_FACTOR = 120, 30
_EXPIRES_S = 24 * 3600
_MAX_REQUESTS = 100_000
_MAX_CANCELING_S = 30
"""How long the end of a batch takes that is cancelled (a guess) [s]."""
_CUSTOM_ID = r"^[a-zA-Z0-9_-]{1,64}$"
_OUTCOMES = ("processing", "succeeded", "errored", "canceled", "expired")
_HOST = "https://api.anthropic.com"

Read = Callable[[dict[str, Any]], Prompt]
"""Reads the request for one reply, or raises a `Rejection`."""


@dataclass(slots=True)
class _Request:
    """One request of a batch."""

    custom_id: str
    asked: Prompt | Rejection
    done_s: float
    """When it is answered [s]."""


@dataclass(slots=True)
class _Batch:
    """One batch."""

    id: str
    created_s: float
    requests: list[_Request]
    ids: Ids
    http: HttpRequest
    cancelled_s: float | None = None
    """When its end was asked for [s]."""
    ended_s: float = 0.0
    """When it ends, or ended [s]."""
    results: bytes | None = None
    """Once somebody has read them."""

    def outcome(self, request: _Request, at_s: float) -> str:
        """What became of a request; all of them are told when the batch has ended."""
        if at_s < self.ended_s:
            return "processing"
        if self.cancelled_s is not None and request.done_s > self.cancelled_s:
            return "canceled"
        return "errored" if isinstance(request.asked, Rejection) else "succeeded"


@dataclass(slots=True)
class Batches:
    """The batches of one run.

    Args:
        desk: Who answers.
    """

    desk: Desk
    _by_id: dict[str, _Batch] = field(default_factory=dict)

    def create(self, body: Table, read: Read, http: HttpRequest, moment: Moment) -> dict[str, Any]:
        """Take a batch; a wrong request in it is an error of its own."""
        wishes = list_at(body, "requests", "requests")
        if not 1 <= len(wishes) <= _MAX_REQUESTS:
            raise invalid(f"requests: List should have between 1 and {_MAX_REQUESTS} items")
        took_s = _took_s(moment.ids)
        requests = []
        for number, given in enumerate(wishes):
            place = f"requests.{number}"
            wish = as_table(given, place)
            custom_id = text_at(wish, "custom_id", f"{place}.custom_id")
            if re.fullmatch(_CUSTOM_ID, custom_id) is None:
                raise invalid(f"{place}.custom_id: String should match pattern '{_CUSTOM_ID}'")
            asked = _asked(table_at(wish, "params", f"{place}.params"), read)
            done_s = moment.at_s + took_s * (number + 1) / len(wishes)
            requests.append(_Request(custom_id, asked, done_s))
        if len({request.custom_id for request in requests}) < len(requests):
            raise invalid("requests: custom_id must be unique within a batch")
        batch_id = "msgbatch_01" + moment.ids.next("batch", 22, BASE58)
        batch = _Batch(batch_id, moment.at_s, requests, moment.ids, http)
        batch.ended_s = moment.at_s + took_s
        self._by_id[batch_id] = batch
        return _body(batch, moment.at_s)

    def one(self, batch_id: str, at_s: float) -> dict[str, Any]:
        """How a batch stands."""
        return _body(self._find(batch_id), at_s)

    def all(self, query: str, at_s: float) -> dict[str, Any]:
        """One page of all batches, newest first."""
        return page([_body(batch, at_s) for batch in reversed(self._by_id.values())], query)

    def cancel(self, batch_id: str, moment: Moment) -> dict[str, Any]:
        """End a batch early."""
        batch = self._find(batch_id)
        if moment.at_s >= batch.ended_s:
            raise invalid(f"Batch {batch_id} cannot be canceled because it has already ended.")
        if batch.cancelled_s is None:
            batch.cancelled_s = moment.at_s
            end_s = moment.at_s + 1 + moment.ids.number("canceling", _MAX_CANCELING_S)
            batch.ended_s = min(batch.ended_s, end_s)
        return _body(batch, moment.at_s)

    def delete(self, batch_id: str, at_s: float) -> dict[str, Any]:
        """Forget a batch that has ended."""
        if at_s < self._find(batch_id).ended_s:
            raise invalid(
                f"Message Batch {batch_id} cannot be deleted while it is processing. Cancel it first."
            )
        del self._by_id[batch_id]
        return {"id": batch_id, "type": "message_batch_deleted"}

    def results(self, batch_id: str, at_s: float) -> bytes:
        """What came of each request, line by line."""
        batch = self._find(batch_id)
        if at_s < batch.ended_s:
            raise not_found(f"Batch {batch_id} has no results: it is still in progress.")
        if batch.results is None:
            lines = [self._line(batch, request, at_s) for request in batch.requests]
            batch.results = b"".join(encode(line) + b"\n" for line in lines)
        return batch.results

    def _find(self, batch_id: str) -> _Batch:
        batch = self._by_id.get(batch_id)
        if batch is None:
            raise not_found(f"Message Batch {batch_id} not found.")
        return batch

    def _line(self, batch: _Batch, request: _Request, at_s: float) -> dict[str, Any]:
        outcome = batch.outcome(request, at_s)
        result: dict[str, Any] = {"type": outcome}
        ids = Ids(f"{batch.ids.root}\x1f{request.custom_id}")
        if isinstance(request.asked, Rejection):
            if outcome == "errored":
                result["error"] = error_body(request.asked.error, request.asked.message, ids)
        elif outcome == "succeeded":
            spoken = self.desk.speak(request.asked, batch.http)
            result["message"] = message(request.asked, spoken, ids)
        return {"custom_id": request.custom_id, "result": result}


def _asked(params: dict[str, Any], read: Read) -> Prompt | Rejection:
    try:
        return read(params)
    except Rejection as rejection:
        return rejection


def _took_s(ids: Ids) -> float:
    share = ids.number("batch duration", 10**6) / 10**6
    return float(round(_MIN_S * _MAX_FACTOR**share))


def _body(batch: _Batch, at_s: float) -> dict[str, Any]:
    ended = at_s >= batch.ended_s
    status = "in_progress" if batch.cancelled_s is None else "canceling"
    counts = Counter(batch.outcome(request, at_s) for request in batch.requests)
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if ended else status,
        "request_counts": {outcome: counts[outcome] for outcome in _OUTCOMES},
        "ended_at": rfc3339(batch.ended_s) if ended else None,
        "created_at": rfc3339(batch.created_s),
        "expires_at": rfc3339(batch.created_s + _EXPIRES_S),
        "archived_at": None,
        "cancel_initiated_at": None if batch.cancelled_s is None else rfc3339(batch.cancelled_s),
        "results_url": f"{_HOST}/v1/messages/batches/{batch.id}/results" if ended else None,
    }
