"""The counts of one run, per agent, from one pass over its spans.

Tallies of several runs add up, so that a quantile over many runs is one of all their tasks, and not a mean of quantiles.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.metrics.claims import ClaimTally, tally_claims
from harness.metrics.customers import CustomerTally, tally_customers
from harness.metrics.effects import EffectTally, tally_effects
from harness.metrics.policies import PolicyTally, tally_policies
from harness.metrics.state import StateTally, tally_state
from harness.spans import (
    AGENT,
    ATTEMPT,
    CALL,
    CANCELLED,
    ERROR,
    MESSAGE,
    OK,
    TASK,
    TOOL,
    WAIT,
    Table,
)

RATE_LIMITED = "rate_limit_error"


def _samples() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Tally:
    """What one agent did in the measured tasks of some runs."""

    calls: int = 0
    failed_calls: int = 0
    tool_uses: int = 0
    attempts: int = 0
    retries: int = 0
    """Attempts that ask again after a failure, of a client or of the program itself; see `is_retry`."""
    rate_limited: int = 0
    """Attempts that were refused with a 429."""
    judged: int = 0
    """Calls whose reply is known to be right or wrong."""
    correct: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    """NaN as soon as the price of one attempt is unknown."""
    wasted_usd: float = 0.0
    """The part of it that bought no reply: attempts that failed or were given up."""
    work_s: float = 0.0
    """Time in which a model or a tool worked [s]."""
    wait_s: float = 0.0
    """Time in queues, in silence, in back-off and for a place in flight [s]."""
    latencies_s: array[float] = field(default_factory=_samples)
    """Of each call that came to an end, well or not, with all its attempts and waits [s]."""
    queue_waits_s: array[float] = field(default_factory=_samples)
    """Of each attempt that was served [s]."""
    ttfts_s: array[float] = field(default_factory=_samples)
    """Of each attempt that was served until its first token: from its arrival to that token [s]."""

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, array):
                mine.extend(theirs)
            else:
                setattr(self, name, mine + theirs)


@dataclass(slots=True)
class RunTally:
    """What happened in the measured tasks of one run."""

    tasks: int = 0
    succeeded: int = 0
    failed: list[int] = field(default_factory=list)
    """Numbers of the measured tasks that did not end well."""
    tasks_in_all: int = 0
    """Tasks that arrived, warm-up included."""
    succeeded_in_all: int = 0
    """Tasks that ended well, warm-up included, as the makespan includes it."""
    latencies_s: array[float] = field(default_factory=_samples)
    """Of each task that came to an end, well or not; without those that the horizon cut [s]."""
    makespan_s: float = 0.0
    """From the first arrival to the last end, warm-up included [s]."""
    slot_seconds: float | None = None
    """Slots of the provider times the makespan [s]; None if slots are unlimited."""
    busy_s: float = 0.0
    """Time for which slots were held, warm-up included [s]."""
    turns: int = 0
    """Turns of agents and of teams within the team; none are seen of a program that does not mark them."""
    answered: int = 0
    """Turns that ended with a message."""
    messages: int | None = None
    """Messages that agents sent, one for each recipient; None where none are noted."""
    message_tokens: int = 0
    """Size of those messages [tokens]."""
    round_trips: int = 0
    """Of each two agents of a task, the smaller number of messages that went either way."""
    effects: EffectTally = field(default_factory=EffectTally)
    """What tools did to the world."""
    agents: dict[str, Tally] = field(default_factory=dict)
    customers: dict[str, CustomerTally] = field(default_factory=dict)
    """By name; empty where no task states for whom it is."""
    state: StateTally = field(default_factory=StateTally)
    """What happened to shared state."""
    policies: PolicyTally = field(default_factory=PolicyTally)
    """What policies did."""
    claims: ClaimTally = field(default_factory=ClaimTally)
    """The claims in the outputs of tasks."""


def tally(
    spans: Table,
    *,
    agents: Iterable[str],
    events: Table | None = None,
    warmup_tasks: int = 0,
    slots: int | None = None,
) -> RunTally:
    """Count the spans of one run.

    Args:
        spans: The spans of the run.
        events: Its events; None where there are no messages to count.
        agents: The agents to be listed, in order, even if they did nothing.
        warmup_tasks: How many of the first tasks are left out.
        slots: How many attempts all providers together serve at once; None for no bound.
        events: The events of the run; None if nothing is counted that only they know.
    """
    run = RunTally(agents={agent: Tally() for agent in agents})
    last_end_s = _tally_tasks(run, spans, warmup_tasks)
    _tally_work(run, spans, warmup_tasks)
    run.customers = tally_customers(spans, warmup_tasks)
    if events is not None:
        _tally_messages(run, events, warmup_tasks)
        run.state = tally_state(events, warmup_tasks)
        run.effects = tally_effects(events, warmup_tasks)
        run.policies = tally_policies(events, last_end_s, warmup_tasks)
        run.claims = tally_claims(events, warmup_tasks)
    if slots is not None:
        run.slot_seconds = slots * run.makespan_s
    return run


def is_retry(ordinal: int, repeats: int) -> bool:
    """Whether an attempt is a retry: it is not the first of its call, or its call repeats a failed one."""
    return ordinal > 1 or repeats >= 0


def _tally_tasks(run: RunTally, spans: Table, warmup_tasks: int) -> float:
    """Count the tasks; returns when the last one ended [s]."""
    first_s, last_s = float("inf"), 0.0
    for kind, task, arrival_s, end_s, status in spans.rows(
        "kind", "task", "arrival_s", "end_s", "status"
    ):
        if kind != TASK:
            continue
        first_s, last_s = min(first_s, arrival_s), max(last_s, end_s)
        run.tasks_in_all += 1
        run.succeeded_in_all += status == OK
        if task > warmup_tasks:
            run.tasks += 1
            run.succeeded += status == OK
            if status != OK:
                run.failed.append(task)
            if status != CANCELLED:
                run.latencies_s.append(end_s - arrival_s)
    run.makespan_s = max(0.0, last_s - first_s)
    return last_s


FIRST_MESSAGE = 1
"""The number of the message that brings a task; it is the user's."""


def _tally_messages(run: RunTally, events: Table, warmup_tasks: int) -> None:
    texts = events.texts
    if MESSAGE not in texts:
        return
    run.messages, of_message = 0, texts.index(MESSAGE)
    columns = ("name", "task", "message", "tokens", "agent", "recipient")
    sent: dict[tuple[int, int, int], int] = {}
    for name, task, number, tokens, sender, recipient in zip(
        *(events[column] for column in columns), strict=True
    ):
        if name == of_message and task > warmup_tasks and number != FIRST_MESSAGE:
            run.messages += 1
            run.message_tokens += tokens
            way = task, sender, recipient
            sent[way] = sent.get(way, 0) + 1
    for (task, sender, recipient), count in sent.items():
        if sender < recipient:
            run.round_trips += min(count, sent.get((task, recipient, sender), 0))


_COLUMNS = (
    "kind", "agent", "task", "ordinal", "arrival_s", "start_s", "first_token_s", "end_s", "input_tokens",
    "output_tokens", "cost_usd", "status", "error", "correct", "repeats",
)  # fmt: skip


def _tally_work(run: RunTally, spans: Table, warmup_tasks: int) -> None:
    for (
        kind, agent, task, ordinal, arrival_s, start_s, first_token_s, end_s, input_tokens, output_tokens, cost_usd,
        status, error, correct, repeats,
    ) in spans.rows(*_COLUMNS):  # fmt: skip
        was_served = start_s == start_s
        if kind == ATTEMPT and was_served:
            run.busy_s += end_s - start_s
        if kind == TASK or task <= warmup_tasks:
            continue
        if kind == AGENT:  # also of a team, which makes no calls of its own
            run.turns += 1
            run.answered += status == OK
            continue
        mine = run.agents.get(agent)
        if mine is None:
            mine = run.agents[agent] = Tally()
        if kind == ATTEMPT:
            mine.attempts += 1
            mine.retries += is_retry(ordinal, repeats)
            mine.rate_limited += error == RATE_LIMITED
            mine.cost_usd += cost_usd
            if status != OK:
                mine.wasted_usd += cost_usd
            if was_served:
                mine.input_tokens += input_tokens
                mine.output_tokens += output_tokens
                mine.work_s += end_s - start_s
                mine.wait_s += start_s - arrival_s
                mine.queue_waits_s.append(start_s - arrival_s)
                if first_token_s == first_token_s:
                    mine.ttfts_s.append(first_token_s - arrival_s)
            else:
                mine.wait_s += end_s - arrival_s
        elif kind == CALL:
            mine.calls += 1
            mine.failed_calls += status == ERROR
            if status != CANCELLED:
                mine.latencies_s.append(end_s - arrival_s)
            if correct >= 0:
                mine.judged += 1
                mine.correct += correct
        elif kind == TOOL:
            mine.tool_uses += 1
            mine.work_s += end_s - arrival_s
        elif kind == WAIT:
            mine.wait_s += end_s - arrival_s
