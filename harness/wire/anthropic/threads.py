"""Message threads: conversations that the server holds, so that a client sends only what is new (a beta of 2026).

The SDK's tool runner uses them unasked, and falls back to whole conversations where they are refused. What must stay the
same in a thread is not published: here it is the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.wire.anthropic.checks import as_table, tag_at, text_at
from harness.wire.anthropic.errors import Rejection, invalid, not_found

_BETA = "message-threads-2026-08-12"
_OF_THE_THREAD = ("system", "tools")
"""What a request that goes on with a thread must leave to it."""
_FINGERPRINT = ("model",)
_UNSUPPORTED = "hipaa"
"""Why there are no threads, where there are none: of the names that SDK 2.x knows, the setting of an organisation."""

Body = JsonObject


class Thread(NamedTuple):
    """A request of a thread."""

    request: Body
    """With all that the server holds of it."""
    previous: str | None
    """The id of the reply that it goes on from; None when it begins a thread."""


@dataclass(slots=True)
class _Held:
    """A conversation up to one reply."""

    body: Body
    """The request that led to the reply, with all messages that came before it, and the reply."""
    continued: bool = False


@dataclass(slots=True)
class Threads:
    """The threads of one run.

    Args:
        offered: Whether there are any.
    """

    offered: bool
    _held: dict[str, _Held] = field(default_factory=dict)
    """By the id of the last reply."""

    def join(self, body: Body, betas: str) -> tuple[Body, Thread | None]:
        """Add the stored conversation to a request.

        Returns:
            The whole request, and the same as what is to be held once it is answered.

        Raises:
            Rejection: There is no such thread, or it cannot be gone on with in this way.
        """
        if body.get("thread") is None:
            return body, None
        if _BETA not in betas:
            raise invalid("thread: Extra inputs are not permitted")
        if not self.offered:
            raise _rejection(
                "thread_unsupported_request",
                "This request cannot be used with `thread`. Send the full conversation without `thread`.",
                unsupported=[_UNSUPPORTED],
            )
        thread = as_table(body["thread"], "thread")
        rest = {name: body[name] for name in body if name != "thread"}
        if tag_at(thread, "thread", ("create", "continue")) == "create":
            return rest, Thread(rest, None)
        previous = text_at(thread, "previous_message_id", "thread.continue.previous_message_id")
        whole = self._continued(rest, previous)
        return whole, Thread(whole, previous)

    def keep(self, thread: Thread, message_id: str, content: list[Body]) -> None:
        """Hold a conversation that has got a reply."""
        request = thread.request
        previous = self._held.get(thread.previous or "")
        if previous is not None:
            previous.continued = True
        reply = [{"role": "assistant", "content": content}] if content else []
        held = {**request, "messages": [*request["messages"], *reply]}
        self._held[message_id] = _Held(held)

    def _continued(self, body: Body, previous: str) -> Body:
        held = self._held.get(previous)
        if held is None:
            raise not_found(
                "No usable Thread state was found for `previous_message_id`. Replay the full conversation with "
                '`thread: {"type": "create"}` to start a new Thread.',
                {"error_code": "thread_not_found"},
            )
        if held.continued:
            raise _rejection(
                "thread_already_continued",
                "The response that `previous_message_id` names has already been continued, and each response can be "
                "continued only once. Continue from the Thread's most recent response `id`.",
            )
        for name in _OF_THE_THREAD:
            if body.get(name) is not None:
                raise invalid(f"{name}: Extra inputs are not permitted when continuing a thread")
        changed = [name for name in _FINGERPRINT if body.get(name) != held.body.get(name)]
        if changed:
            raise _rejection(
                "thread_fingerprint_mismatch",
                "A field that must stay the same across a Thread's turns differs from the value stored with the Thread: "
                f"{', '.join(f'`{name}`' for name in changed)}.",
            )
        kept = {name: held.body[name] for name in _OF_THE_THREAD if name in held.body}
        new = body.get("messages")
        if not isinstance(new, list):
            return {**kept, **body}
        return {**kept, **body, "messages": [*held.body["messages"], *new]}


def _rejection(code: str, message: str, **more: object) -> Rejection:
    return invalid(message, {"error_code": code, **more})
