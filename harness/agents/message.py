"""The message that one agent passes to another, and the task that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from harness.agents.context import Remembered
from harness.agents.progress import Progress
from harness.provider.prompt_cache import Prefix
from harness.provider.tokens import count_tokens
from harness.spans import MESSAGE, Span, SpanLog
from harness.state import SharedState

MessageType = Literal["request", "result", "error", "update"]
"""What a message is for: it asks for work, brings what came of it or why nothing did, or tells how far it is."""

USER = "user"
"""The sender of what a task brings."""

_MESSAGES = ""
"""What messages are counted as; no agent has this name."""


@dataclass(slots=True, eq=False)
class Task:
    """One unit of user work in a run: created when it arrives, done when its pattern returns."""

    number: int
    """1 for the first task of the run."""
    kind: str
    """What sort of work it is."""
    span: Span
    """Its own span; the root of everything that is done for it."""
    output_tokens: int | None = None
    """Size of the answers if the workload knows it [tokens]."""
    counts: dict[str, int] = field(default_factory=dict)
    """How often each agent has called its model, and used each tool, for this task."""
    log: SpanLog | None = None
    """Where a pattern records what it does besides turns, such as reads and writes of shared state; None records nothing."""
    customer: str = ""
    """Whom it is for."""
    priority: int = 0
    """How much it matters; 0 the least."""
    prefix: Prefix | None = None
    """The blocks of what the user brings, for prompt caches; None if the workload does not say."""
    mail: dict[str, list[Message]] = field(default_factory=dict)
    """What each member has got and not read."""
    memory: dict[str, list[Remembered]] = field(default_factory=dict)
    """What each agent remembers of its earlier turns, of those that remember anything."""
    speaks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The versions of messages that each sender speaks, of those that state any."""
    progress: Progress = field(default_factory=Progress)
    """Its turns so far, to notice when they repeat."""

    cost_usd: float = 0.0
    """Cost of the calls that agents have made for it so far; of a team within a team, of its members' [USD]; NaN if a price is
    unknown."""
    around_state: Callable[[SharedState, Task], SharedState] | None = None
    """What stands around the shared state of the task, such as faults; None for nothing."""

    def sharing(self, state: SharedState) -> SharedState:
        """The state that the agents of the task share, with what stands around it."""
        return state if self.around_state is None else self.around_state(state, self)

    def count(self, what: str) -> int:
        """Note one more of something, and return its ordinal in this task; part of the key of its draws."""
        number = self.counts[what] = self.counts.get(what, 0) + 1
        return number

    def next_message(self) -> int:
        """The number of a new message."""
        return self.count(_MESSAGES)

    def within(self, span: Span) -> Task:
        """The same task as a team within the team sees it: what it does is a part of another span, and its costs are its own."""
        return replace(self, span=span, cost_usd=0.0)


class Message(NamedTuple):
    """What one agent, or the user, says to another.

    Make one with `of_text`, or as an answer to another with `reply`, so that it has a number. A message that goes to
    many is one message.
    """

    task: Task
    """The task that it belongs to."""
    sender: str
    """Who says it; `user` for what a task brings."""
    text: str
    tokens: int
    """Its size [tokens]."""
    number: int = 0
    """1 for the first message of its task; 0 if it has none."""
    answers: int = 0
    """The number of the message that it answers; 0 if there is none."""
    recipient: str = ""
    """Whom it is for; empty where that is for the pattern to say."""
    type: MessageType = "request"
    """What it is for."""
    confidence: float | None = None
    """How sure its sender is, 0 to 1; None if the sender does not say."""
    latency_s: float | None = None
    """How long its sender took [s]; None if that was not measured."""
    cost_usd: float | None = None
    """What it cost its sender [USD]; None if a price is unknown."""
    version: str = ""
    """Version of its schema; empty if none is stated."""
    hop: int = 0
    """How many messages led to it, one answering the other; 0 for the task."""

    @property
    def id(self) -> str:
        """What names it in its run, such as `7.2`; empty if it has no number."""
        return f"{self.task.number}.{self.number}" if self.number else ""

    @property
    def parent(self) -> str:
        """The `id` of the message that it answers; empty if there is none."""
        return f"{self.task.number}.{self.answers}" if self.answers else ""

    @classmethod
    def of_text(
        cls,
        task: Task,
        sender: str,
        text: str,
        *,
        tokens: int | None = None,
        recipient: str = "",
        type: MessageType = "request",  # noqa: A002 - the name of the field
        version: str = "",
    ) -> Message:
        """A message that answers no other.

        Args:
            task: The task that it belongs to.
            sender: Who says it.
            text: What is said.
            tokens: Its size [tokens]; None means that it follows from the text.
            recipient: Whom it is for.
            type: What it is for.
            version: Version of its schema.
        """
        size = count_tokens(text) if tokens is None else tokens
        return cls(
            task, sender, text, size, task.next_message(), 0, recipient, type, version=version
        )

    def reply(
        self,
        sender: str,
        text: str,
        tokens: int | None = None,
        *,
        recipient: str | None = None,
        type: MessageType = "result",  # noqa: A002 - the name of the field
        confidence: float | None = None,
        latency_s: float | None = None,
        cost_usd: float | None = None,
        version: str | None = None,
    ) -> Message:
        """A message that answers this one.

        Args:
            sender: Who answers.
            text: What is said.
            tokens: Its size [tokens]; None means that it follows from the text.
            recipient: Whom it is for; None means the sender of this one.
            type: What it is for.
            confidence: How sure the sender is, 0 to 1.
            latency_s: How long the sender took [s].
            cost_usd: What it cost the sender [USD].
            version: Version of its schema; None means the one of this.
        """
        return Message(
            self.task,
            sender,
            text,
            count_tokens(text) if tokens is None else tokens,
            self.task.next_message(),
            self.number,
            self.sender if recipient is None else recipient,
            type,
            confidence,
            latency_s,
            cost_usd,
            self.version if version is None else version,
            self.hop + 1,
        )

    def headed(self, heading: str) -> Message:
        """The same message with a text before its own."""
        return self._replace(text=heading + self.text, tokens=count_tokens(heading) + self.tokens)


def deliver(
    messages: Sequence[Message], recipient: str, span: Span, log: SpanLog, at_s: float | None = None
) -> None:
    """Record that messages were received: one `message` event each.

    Args:
        messages: What has come.
        recipient: Who got it.
        span: What the recipient does with it.
        log: Where it is noted.
        at_s: When [s]; None means when the span began.
    """
    when_s, span_id, task = span.arrival_s if at_s is None else at_s, span.span_id, span.task
    note = log.note
    for _, sender, _, tokens, number, answers, _, kind, _, _, _, _, hop in messages:
        note(
            when_s, span_id, task, sender, MESSAGE, kind, recipient, tokens, hop, number or -1, answers or -1,
        )  # fmt: skip


def answer(
    messages: tuple[Message, ...],
    sender: str,
    text: str,
    tokens: int,
    latency_s: float,
    cost_usd: float,
    version: str | None = None,
    confidence: float | None = None,
) -> Message:
    """The answer to some messages: to the last of them, one hop after the farthest.

    Args:
        messages: What is answered.
        sender: Who answers.
        text: What is said.
        tokens: Its size [tokens].
        latency_s: How long the sender took [s].
        cost_usd: What it cost the sender [USD]; NaN if a price is unknown.
        version: Version of its schema; None means that of what is answered.
        confidence: How sure the sender is, 0 to 1; None if it does not say.
    """
    # Unpacked and made as tuples, at a fraction of the price of names and of `Message(...)`: this is on the way of every turn.
    task, asker, _, _, asked, _, _, _, _, _, _, asked_version, hop = messages[-1]
    if len(messages) > 1:
        for message in messages:
            if message.hop > hop:
                hop = message.hop
    return tuple.__new__(
        Message,
        (
            task, sender, text, tokens, task.count(_MESSAGES), asked, asker, "result", confidence, latency_s,
            cost_usd if cost_usd == cost_usd else None, asked_version if version is None else version, hop + 1,
        ),
    )  # fmt: skip


def receive(message: Message, recipient: str, log: SpanLog) -> None:
    """Put a message into a mailbox; it is there until the recipient's next turn in the same task.

    Args:
        message: What has come.
        recipient: Whose mailbox it is.
        log: Where it is noted.
    """
    deliver([message], recipient, message.task.span, log, log.clock())
    message.task.mail.setdefault(recipient, []).append(message)


def unread(task: Task, recipient: str) -> Sequence[Message]:
    """Take what is in a mailbox, in the order in which it came.

    Args:
        task: The task.
        recipient: Whose mailbox it is.
    """
    return task.mail.pop(recipient, ()) if task.mail else ()


def joined(messages: Sequence[Message]) -> Message:
    """Some messages as one: their texts below one another, as far from the task as the farthest of them.

    It is the last of them in everything else.

    Args:
        messages: At least one.
    """
    if len(messages) == 1:
        return messages[0]
    return messages[-1]._replace(
        text="\n\n".join([message.text for message in messages]),
        tokens=sum([message.tokens for message in messages]),
        hop=max([message.hop for message in messages]),
    )
