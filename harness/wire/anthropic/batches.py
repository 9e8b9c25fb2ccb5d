"""Message batches: many requests at once, answered within virtual minutes to an hour, beside the rate limits.

How long the real API takes is not published beyond "most batches finish in less than an hour" and the end after 24 hours
(https://docs.claude.com/en/docs/build-with-claude/batch-processing). Here a batch takes from two minutes to an hour, each
factor as likely as the other, and its requests have their turns evenly over that time, in no particular order. Each is a call
of an agent, which a fault may meet: then its result is an error, or it expires with the batch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.json_types import JsonObject
from harness.provider.limits import NO_QUOTA
from harness.wire.anthropic.checks import Table, as_table, list_at, table_at, text_at
from harness.wire.anthropic.errors import Rejection, error_body, invalid, not_found, words_of
from harness.wire.anthropic.headers import BASE58, encode
from harness.wire.anthropic.page import page
from harness.wire.anthropic.reply import message
from harness.wire.api import ApiContext, Ids, Job, Moment, Prompt
from harness.wire.batch_turns import turns_of
from harness.wire.dates import rfc3339
from harness.wire.http import HttpRequest, origin

_EXPIRES_S = 24 * 3600
_MAX_REQUESTS = 100_000
_MAX_CANCELING_S = 30
"""How long the end of a batch takes that is cancelled (a guess) [s]."""
_CUSTOM_ID = r"^[a-zA-Z0-9_-]{1,64}$"
_OUTCOMES = ("processing", "succeeded", "errored", "canceled", "expired")

Read = Callable[[JsonObject], Prompt]
"""Reads the request for one reply, or raises a `Rejection`."""


@dataclass(slots=True)
class _Request:
    """One request of a batch."""

    custom_id: str
    work: Job | Rejection
    turn_s: float
    """When its turn comes [s]."""
    cancelled: bool = False

    @property
    def done_s(self) -> float:
        """Time of its answer [s]; infinite if unknown."""
        return self.turn_s if isinstance(self.work, Rejection) else self.work.done_s

    @property
    def outcome(self) -> str:
        """Its result, once it has ended."""
        if self.cancelled:
            return "canceled"
        if isinstance(self.work, Job) and self.work.spoken is not None:
            return "succeeded"
        return "expired" if isinstance(self.work, Job) and self.work.expired else "errored"


@dataclass(slots=True)
class _Batch:
    """One batch."""

    id: str
    created_s: float
    requests: list[_Request]
    ids: Ids
    url: str
    """Where its results are."""
    cancelled_s: float | None = None
    """When its end was asked for [s]."""
    closing_s: float = 0.0
    """How long it takes to end when it is cancelled [s]."""
    results: bytes | None = None
    """Set once they have been read."""

    @property
    def ended_s(self) -> float:
        """Time of its end [s]; infinite if unknown."""
        if self.cancelled_s is not None:
            return self.cancelled_s + self.closing_s
        return max(request.done_s for request in self.requests)


@dataclass(slots=True)
class Batches:
    """The batches of one run.

    Args:
        desk: Who answers.
    """

    desk: ApiContext
    _by_id: dict[str, _Batch] = field(default_factory=dict)

    def create(self, body: Table, read: Read, http: HttpRequest, moment: Moment) -> JsonObject:
        """Create a batch; an invalid request in it becomes its own error."""
        wishes = list_at(body, "requests", "requests")
        if not 1 <= len(wishes) <= _MAX_REQUESTS:
            raise invalid(f"requests: List should have between 1 and {_MAX_REQUESTS} items")
        read_wishes = [_read_wish(given, f"requests.{n}", read) for n, given in enumerate(wishes)]
        if len({custom_id for custom_id, _ in read_wishes}) < len(read_wishes):
            raise invalid("requests: custom_id must be unique within a batch")
        batch_id = "msgbatch_01" + moment.ids.next("batch", 22, BASE58)
        turns = turns_of(moment, [custom_id for custom_id, _ in read_wishes])
        until_s = moment.at_s + _EXPIRES_S
        requests = [
            _Request(
                custom_id,
                asked
                if isinstance(asked, Rejection)
                else self.desk.work(asked, http, turn_s, until_s),
                turn_s,
            )
            for (custom_id, asked), turn_s in zip(read_wishes, turns, strict=True)
        ]
        url = f"{origin(http)}/v1/messages/batches/{batch_id}/results"
        batch = self._by_id[batch_id] = _Batch(batch_id, moment.at_s, requests, moment.ids, url)
        return _body(batch, moment.at_s)

    def one(self, batch_id: str, at_s: float) -> JsonObject:
        """The status of a batch."""
        return _body(self._find(batch_id), at_s)

    def all(self, query: str, at_s: float) -> JsonObject:
        """One page of all batches, newest first."""
        return page([_body(batch, at_s) for batch in reversed(self._by_id.values())], query)

    def cancel(self, batch_id: str, moment: Moment) -> JsonObject:
        """End a batch early."""
        batch = self._find(batch_id)
        if moment.at_s >= batch.ended_s:
            raise invalid(f"Batch {batch_id} cannot be canceled because it has already ended.")
        if batch.cancelled_s is None:
            batch.cancelled_s = moment.at_s
            batch.closing_s = 1.0 + moment.ids.number("canceling", _MAX_CANCELING_S)
            for request in batch.requests:
                request.cancelled = request.done_s > moment.at_s
                if request.cancelled and isinstance(request.work, Job):
                    request.work.give_up()
        return _body(batch, moment.at_s)

    def delete(self, batch_id: str, at_s: float) -> JsonObject:
        """Delete a batch that has ended."""
        if at_s < self._find(batch_id).ended_s:
            raise invalid(
                f"Message Batch {batch_id} cannot be deleted while it is processing. Cancel it first."
            )
        del self._by_id[batch_id]
        return {"id": batch_id, "type": "message_batch_deleted"}

    def results(self, batch_id: str, at_s: float) -> bytes:
        """The result of each request, one per line."""
        batch = self._find(batch_id)
        if at_s < batch.ended_s:
            raise not_found(f"Batch {batch_id} has no results: it is still in progress.")
        if batch.results is None:
            lines = [
                _line(batch, request)
                for request in sorted(batch.requests, key=lambda one: (one.done_s, one.turn_s))
            ]
            batch.results = b"".join(encode(line) + b"\n" for line in lines)
        return batch.results

    def _find(self, batch_id: str) -> _Batch:
        batch = self._by_id.get(batch_id)
        if batch is None:
            raise not_found(f"Message Batch {batch_id} not found.")
        return batch


def _line(batch: _Batch, request: _Request) -> JsonObject:
    result: JsonObject = {"type": request.outcome}
    ids = Ids(f"{batch.ids.root}\x1f{request.custom_id}")
    work = request.work
    if request.outcome == "errored":
        if isinstance(work, Job):
            assert work.refusal is not None
            result["error"] = error_body(work.refusal.kind, words_of(work.refusal)[1], ids)
        else:
            result["error"] = error_body(work.error, work.message, ids)
    elif isinstance(work, Job) and work.spoken is not None and not request.cancelled:
        result["message"] = message(
            work.prompt, work.spoken, Moment(ids, work.done_s, 0.0, NO_QUOTA)
        )
    return {"custom_id": request.custom_id, "result": result}


def _read_wish(given: object, place: str, read: Read) -> tuple[str, Prompt | Rejection]:
    wish = as_table(given, place)
    custom_id = text_at(wish, "custom_id", f"{place}.custom_id")
    if re.fullmatch(_CUSTOM_ID, custom_id) is None:
        raise invalid(f"{place}.custom_id: String should match pattern '{_CUSTOM_ID}'")
    params = table_at(wish, "params", f"{place}.params")
    try:
        return custom_id, read(params)
    except Rejection as rejection:
        return custom_id, rejection


def _body(batch: _Batch, at_s: float) -> JsonObject:
    ended = at_s >= batch.ended_s
    status = "in_progress" if batch.cancelled_s is None else "canceling"
    counts = Counter(request.outcome if ended else "processing" for request in batch.requests)
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
        "results_url": batch.url if ended else None,
    }
