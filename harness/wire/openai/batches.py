"""Batches: a file of requests, answered in a file within virtual minutes to an hour, beside the rate limits.

    validating -> in_progress -> completed          each request is a call of an agent
               -> failed                            the file is wrong
                              -> cancelling -> cancelled
                              -> expired            after 24 hours, with what is done until then

Fields are those of the documentation (https://platform.openai.com/docs/api-reference/batch/object). How long each state
lasts is not published; see `harness.wire.batch_turns`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.json_types import JsonObject
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import ApiContext, Completion, Ids, Job, Moment, Prompt
from harness.wire.batch_turns import turns_of
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.openai.batch_file import Problem, read_lines
from harness.wire.openai.encoding import HEX, compact
from harness.wire.openai.errors import Problem as Answered
from harness.wire.openai.errors import Rejected, problem_of
from harness.wire.openai.files import Files
from harness.wire.openai.lists import page
from harness.wire.openai.validate import MISSING

ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")

_EXPIRES_S = 24 * 3600.0
_MAX_VALIDATING_S = 30
_MAX_CANCELLING_S = 60
"""How long a file is validated, and a batch takes to end when it is cancelled, at most (a guess) [s]."""

Read = Callable[[str, JsonObject, str], Prompt | JsonObject]
"""Reads the body of a request to an endpoint at a host: what is asked of a model, or the answer; or raises a `Rejected`."""

Whole = Callable[[Prompt, Completion, Moment], HttpResponse]
"""Writes the answer of a model."""


@dataclass(slots=True)
class _Request:
    """One request of a batch."""

    custom_id: str
    work: Job | Answered | JsonObject
    """What a model is asked, what is wrong with it, or what the API answers by itself."""
    turn_s: float
    cancelled: bool = False

    @property
    def done_s(self) -> float:
        """Time of its answer [s]; infinite if unknown."""
        return self.work.done_s if isinstance(self.work, Job) else self.turn_s

    @property
    def succeeded(self) -> bool:
        """Whether it has an answer, once it has ended."""
        if self.cancelled:
            return False
        return isinstance(self.work, dict) or (
            isinstance(self.work, Job) and self.work.spoken is not None
        )


@dataclass(slots=True)
class _Batch:
    """One batch."""

    id: str
    asked: JsonObject
    created_s: float
    begun_s: float
    """When its file has been validated [s]."""
    ids: Ids
    requests: list[_Request]
    problems: list[Problem]
    """What is wrong with its file; then there are no requests."""
    cancelled_s: float | None = None
    """When its end was asked for [s]."""
    closing_s: float = 0.0
    """How long it takes to end when it is cancelled [s]."""
    files: dict[str, str] | None = None
    """The ids of its files, once it has ended."""

    @property
    def ended_s(self) -> float:
        """Time of its end [s]; infinite if unknown."""
        if self.problems:
            return self.begun_s
        if self.cancelled_s is not None:
            return self.cancelled_s + self.closing_s
        return max(request.done_s for request in self.requests)

    def status(self, at_s: float) -> str:
        """How it stands."""
        if at_s >= self.ended_s:
            return self.end
        if self.cancelled_s is not None:
            return "cancelling"
        return "validating" if at_s < self.begun_s else "in_progress"

    @property
    def end(self) -> str:
        """How it ends, or ended."""
        if self.problems:
            return "failed"
        if self.cancelled_s is not None:
            return "cancelled"
        expired = any(isinstance(one.work, Job) and one.work.expired for one in self.requests)
        return "expired" if expired else "completed"


@dataclass(slots=True)
class Batches:
    """The batches of one run.

    Args:
        desk: Who answers.
        files: Where their files are.
        read: Reads a request.
        whole: Writes an answer.
    """

    desk: ApiContext
    files: Files
    read: Read
    whole: Whole
    _by_id: dict[str, _Batch] = field(default_factory=dict)

    def create(self, asked: JsonObject, http: HttpRequest, moment: Moment) -> JsonObject:
        """Take a batch.

        Raises:
            Rejected: The request is wrong; what is wrong with the file is told by the batch.
        """
        for name in ("input_file_id", "endpoint", "completion_window"):
            if not isinstance(asked.get(name), str):
                raise Rejected(f"Missing required parameter: '{name}'.", name, MISSING)
        endpoint = asked["endpoint"]
        for name, known in (("endpoint", ENDPOINTS), ("completion_window", ("24h",))):
            if asked[name] not in known:
                values = ", ".join(f"'{one}'" for one in known)
                raise Rejected(
                    f"Invalid value: '{asked[name]}'. Supported values are: {values}.",
                    name,
                    "invalid_value",
                )
        content = self.files.find(asked["input_file_id"]).content
        begun_s = moment.at_s + 1 + moment.ids.number("validating", _MAX_VALIDATING_S)
        lines, problems = read_lines(content, endpoint)
        requests: list[_Request] = []
        if not problems:
            turns = turns_of(moment._replace(at_s=begun_s), [line.custom_id for line in lines])
            requests = [
                _Request(
                    line.custom_id, self._work(endpoint, line.body, http, moment, turn_s), turn_s
                )
                for line, turn_s in zip(lines, turns, strict=True)
            ]
        batch_id = "batch_" + moment.ids.next("batch_", 32, HEX)
        batch = _Batch(batch_id, asked, moment.at_s, begun_s, moment.ids, requests, problems)
        self._by_id[batch_id] = batch
        return self._body(batch, moment.at_s)

    def _work(
        self, endpoint: str, body: JsonObject, http: HttpRequest, moment: Moment, turn_s: float
    ) -> Job | Answered | JsonObject:
        try:
            understood = self.read(endpoint, body, http.host)
        except Rejected as rejected:
            return rejected.problem
        if isinstance(understood, Prompt):
            return self.desk.work(understood, http, turn_s, moment.at_s + _EXPIRES_S)
        return understood

    def one(self, batch_id: str, at_s: float) -> JsonObject:
        """The status of a batch."""
        return self._body(self._find(batch_id), at_s)

    def all(self, query: str, at_s: float) -> JsonObject:
        """One page of all batches, newest first."""
        return page([self._body(batch, at_s) for batch in reversed(self._by_id.values())], query)

    def cancel(self, batch_id: str, moment: Moment) -> JsonObject:
        """End a batch early; what is done by then stays."""
        batch = self._find(batch_id)
        status = batch.status(moment.at_s)
        if status not in ("validating", "in_progress", "cancelling"):
            raise Rejected(f"Cannot cancel a batch with status '{status}'.", status=409)
        if batch.cancelled_s is None:
            batch.cancelled_s = moment.at_s
            batch.closing_s = 1.0 + moment.ids.number("cancelling", _MAX_CANCELLING_S)
            batch.problems = []
            for request in batch.requests:
                request.cancelled = request.done_s > moment.at_s
                if request.cancelled and isinstance(request.work, Job):
                    request.work.give_up()
        return self._body(batch, moment.at_s)

    def _find(self, batch_id: str) -> _Batch:
        if batch_id not in self._by_id:
            raise Rejected(f"No batch found with id '{batch_id}'.", status=404)
        return self._by_id[batch_id]

    def _body(self, batch: _Batch, at_s: float) -> JsonObject:
        status = batch.status(at_s)
        over = at_s >= batch.ended_s
        files = self._files(batch) if over else {}
        done = [request for request in batch.requests if request.done_s <= at_s]
        completed = sum(request.succeeded for request in done)
        failed = sum(not request.succeeded and not request.cancelled for request in done)
        ends = {end: batch.ended_s if over and batch.end == end else None for end in _ENDS}
        begun = not batch.problems and at_s >= batch.begun_s
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.asked["endpoint"],
            "errors": _errors(batch.problems) if over and batch.problems else None,
            "input_file_id": batch.asked["input_file_id"],
            "completion_window": "24h",
            "status": status,
            "output_file_id": files.get("output"),
            "error_file_id": files.get("error"),
            "created_at": _date(batch.created_s),
            "in_progress_at": _date(batch.begun_s if begun else None),
            "expires_at": _date(batch.created_s + _EXPIRES_S),
            "finalizing_at": _date(ends["completed"]),
            "completed_at": _date(ends["completed"]),
            "failed_at": _date(ends["failed"]),
            "expired_at": _date(ends["expired"]),
            "cancelling_at": _date(batch.cancelled_s),
            "cancelled_at": _date(ends["cancelled"]),
            "request_counts": {
                "total": len(batch.requests),
                "completed": completed,
                "failed": failed,
            },
            "metadata": batch.asked.get("metadata"),
        }

    def _files(self, batch: _Batch) -> dict[str, str]:
        """Its files, which are written when its end is first observed; one without lines is not written."""
        if batch.files is None:
            lines: dict[str, list[str]] = {"output": [], "error": []}
            for request in sorted(batch.requests, key=lambda one: (one.done_s, one.turn_s)):
                name = "output" if request.succeeded else "error"
                lines[name].append(compact(self._line(batch, request)))
            batch.files = {}
            for name, texts in lines.items():
                if texts:
                    content = "".join(f"{text}\n" for text in texts).encode("utf-8", "replace")
                    ids = Ids(f"{batch.ids.root}\x1f{name}")
                    file_name = f"{batch.id}_{name}.jsonl"
                    purpose = "batch_output"
                    file = self.files.add(ids, content, file_name, purpose, batch.ended_s)
                    batch.files[name] = file["id"]
        return batch.files

    def _line(self, batch: _Batch, request: _Request) -> JsonObject:
        ids = Ids(f"{batch.ids.root}\x1f{request.custom_id}")
        moment = self.desk.moment(ids)._replace(at_s=request.done_s)
        line: JsonObject = {
            "id": "batch_req_" + ids.next("batch_req_", 32, HEX),
            "custom_id": request.custom_id,
            "response": None,
            "error": None,
        }
        work = request.work
        if request.cancelled:
            line["error"] = _UNDONE["batch_cancelled"]
        elif isinstance(work, Job) and work.expired:
            line["error"] = _UNDONE["batch_expired"]
        else:
            line["response"] = {
                "status_code": 200,
                "request_id": ids.next("request", 32, HEX),
                **self._answer(work, moment),
            }
        return line

    def _answer(self, work: Job | Answered | JsonObject, moment: Moment) -> JsonObject:
        if isinstance(work, dict):
            return {"body": work}
        if isinstance(work, Answered):
            return {"status_code": work.status, "body": {"error": work.body}}
        if work.spoken is None:
            assert work.refusal is not None
            return self._answer(problem_of(work.refusal, moment), moment)
        written = self.whole(work.prompt, work.spoken, moment).body
        assert isinstance(written, bytes)
        return {"body": json.loads(written)}


_ENDS = ("completed", "failed", "expired", "cancelled")
_UNDONE = {
    "batch_expired": {
        "code": "batch_expired",
        "message": "This request could not be executed before the completion window expired.",
    },
    "batch_cancelled": {
        "code": "batch_cancelled",
        "message": "This request was not executed because the batch was cancelled.",
    },
}


def _errors(problems: list[Problem]) -> JsonObject:
    return {"object": "list", "data": [problem.body for problem in problems]}


def _date(at_s: float | None) -> int | None:
    return None if at_s is None or at_s == math.inf else int(EPOCH_S + at_s)
