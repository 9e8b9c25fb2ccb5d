"""Coordination of a run's agents: who works, who waits for whom, what they send one another, and how well each does over time.

Waits between agents are those of the critical paths (`waiting.py`). Messages are those that patterns note; of a program, whose
messages nobody sees, the replies that reached the prompts of others stand for them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from harness.metrics.critical_path import Segment, critical_paths
from harness.metrics.flow import flow
from harness.metrics.tally import Tally, tally
from harness.metrics.waiting import Waited, waited
from harness.spans import AGENT, CALL, CANCELLED, ERROR, MESSAGE, OK, TASK, Table

HEALTH_BINS = 8
"""Equal parts of a run in which the health of agents is told."""

_USER = "user"


@dataclass(frozen=True, slots=True)
class AgentShare:
    """One agent's time and part in the whole."""

    calls: int
    work_s: float
    """Time in which a model or a tool worked for it [s]."""
    wait_s: float
    """Time in queues, in back-off, in silence and for places in flight [s]."""
    path_s: float
    """Time of critical paths that was its own [s]."""
    path_share: float
    """The share of all critical paths that was its own."""
    health: tuple[float | None, ...]
    """Of `HEALTH_BINS` equal parts of the run: the share of its calls ended there that ended well; None where none ended."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one agent sent to another."""

    sender: str
    recipient: str
    messages: int
    """How many messages; of a program, calls whose prompt held a reply of the sender."""
    tokens: int | None
    """Their size together [tokens]; None where it is not known."""
    round_trips: int
    """How many of them the recipient answered."""
    round_trip_s: float
    """Mean time from such a message to its answer [s]; not a number where there is none."""


@dataclass(frozen=True, slots=True)
class Together:
    """Two agents that failed in the same tasks."""

    agents: tuple[str, str]
    tasks: int
    """In how many tasks both failed."""
    expected: float
    """In how many they would have if the failures of one said nothing about those of the other."""


@dataclass(frozen=True, slots=True)
class Coordination:
    """How the agents of a run worked together."""

    tasks: int
    agents: Mapping[str, AgentShare]
    """In the order in which they first did something."""
    waits: Sequence[Waited]
    """Who waited for whom, the longest first."""
    traffic: Sequence[Traffic]
    """In the order in which pairs first exchanged something; those of the user are left out."""
    together: Sequence[Together]
    """Pairs that failed together more often than by chance, the most frequent first."""

    @property
    def bottleneck(self) -> str:
        """The agent that most time of the critical paths was of; empty where there is none."""
        return max(self.agents, key=lambda it: self.agents[it].path_s, default="")


def coordination(spans: Table, events: Table, *, warmup_tasks: int = 0) -> Coordination:
    """Work out how the agents of a run worked together.

    Args:
        spans: The spans of the run.
        events: Its events.
        warmup_tasks: How many of the first tasks are left out.
    """
    paths = {
        task: path for task, path in critical_paths(spans).items() if task > warmup_tasks
    }  # fmt: skip
    found = tally(spans, agents=(), events=events, warmup_tasks=warmup_tasks)
    own_s = _own_s(paths.values())
    whole_s = math.fsum(math.fsum(it.duration_s for it in path) for path in paths.values())
    health = _health(spans, warmup_tasks)
    return Coordination(
        tasks=found.tasks,
        agents={
            agent: _share(mine, own_s.get(agent, 0.0), whole_s, health.get(agent, ()))
            for agent, mine in found.agents.items()
            if agent
        },
        waits=sorted(waited(paths.values()), key=lambda it: (-it.wait_s, it.agent, it.waited_for)),
        traffic=_traffic(spans, events, warmup_tasks),
        together=_together(spans, warmup_tasks),
    )


def _share(
    mine: Tally, path_s: float, whole_s: float, health: tuple[float | None, ...]
) -> AgentShare:
    share = path_s / whole_s if whole_s else 0.0
    return AgentShare(mine.calls, mine.work_s, mine.wait_s, path_s, share, health)


def _own_s(paths: Iterable[Sequence[Segment]]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for path in paths:
        for segment in path:
            if segment.agent:
                found[segment.agent].append(segment.duration_s)
    return {agent: math.fsum(parts) for agent, parts in found.items()}


def _health(spans: Table, warmup_tasks: int) -> dict[str, tuple[float | None, ...]]:
    calls = [
        (agent, end_s, status == OK)
        for kind, task, agent, end_s, status in spans.rows("kind", "task", "agent", "end_s", "status")
        if kind == CALL and task > warmup_tasks and status != CANCELLED and end_s == end_s
    ]  # fmt: skip
    if not calls:
        return {}
    first_s, last_s = min(it[1] for it in calls), max(it[1] for it in calls)
    width_s = (last_s - first_s) / HEALTH_BINS or 1.0
    ended: Counter[tuple[str, int]] = Counter()
    well: Counter[tuple[str, int]] = Counter()
    for agent, end_s, is_well in calls:
        key = agent, min(HEALTH_BINS - 1, int((end_s - first_s) / width_s))
        ended[key] += 1
        well[key] += is_well
    return {
        agent: tuple(
            well[agent, number] / ended[agent, number] if ended[agent, number] else None
            for number in range(HEALTH_BINS)
        )
        for agent in dict.fromkeys(it[0] for it in calls)
    }


def _traffic(spans: Table, events: Table, warmup_tasks: int) -> list[Traffic]:
    if MESSAGE not in events.texts:
        edges = [it for it in flow(spans, events) if it.source_agent != it.agent]
        return [Traffic(it.source_agent, it.agent, it.calls, None, 0, math.nan) for it in edges]
    columns = ("name", "task", "at_s", "agent", "recipient", "tokens", "message", "answers")
    rows = [row[1:] for row in events.rows(*columns) if row[0] == MESSAGE and row[1] > warmup_tasks]
    answered = {
        (task, answers, agent): at_s for task, at_s, agent, _, _, _, answers in reversed(rows)
    }
    sent: dict[tuple[str, str], list[int]] = {}
    trips_s: dict[tuple[str, str], list[float]] = defaultdict(list)
    for task, at_s, agent, recipient, tokens, number, _ in rows:
        if agent in ("", _USER) or recipient in ("", _USER):
            continue
        pair = agent, recipient
        sent.setdefault(pair, []).append(tokens)
        answer_s = answered.get((task, number, recipient))
        if answer_s is not None:
            trips_s[pair].append(answer_s - at_s)
    return [
        Traffic(
            *pair,
            messages=len(sizes),
            tokens=sum(sizes),
            round_trips=len(trips_s[pair]),
            round_trip_s=math.fsum(trips_s[pair]) / len(trips_s[pair])
            if trips_s[pair]
            else math.nan,
        )
        for pair, sizes in sent.items()
    ]


def _together(spans: Table, warmup_tasks: int) -> list[Together]:
    """Agents a call or turn of which failed in the same tasks; a failed call that its turn made good does not count.

    A team within the team makes no calls, and fails because of its members: it is left out.
    """
    rows = [
        row
        for row in spans.rows("span_id", "parent_id", "task", "kind", "agent", "status")
        if row[2] > warmup_tasks
    ]
    well = {span_id for span_id, _, _, kind, _, status in rows if kind == AGENT and status == OK}
    turns = {span_id: agent for span_id, _, _, kind, agent, _ in rows if kind == AGENT}
    teams = {
        turns[parent] for _, parent, _, kind, _, _ in rows if kind == AGENT and parent in turns
    }
    teams -= {agent for _, _, _, kind, agent, _ in rows if kind == CALL}
    failed: dict[int, set[str]] = {task: set() for _, _, task, kind, _, _ in rows if kind == TASK}
    for _, parent, task, kind, agent, status in rows:
        is_failure = status == ERROR and (kind == AGENT or (kind == CALL and parent not in well))
        if is_failure and agent and agent not in teams and task in failed:
            failed[task].add(agent)
    alone = Counter(agent for agents in failed.values() for agent in agents)
    both = Counter(pair for agents in failed.values() for pair in combinations(sorted(agents), 2))
    found = [
        Together(pair, count, alone[pair[0]] * alone[pair[1]] / len(failed))
        for pair, count in both.items()
    ]
    return sorted(
        (it for it in found if it.tasks > it.expected or it.tasks == len(failed)),
        key=lambda it: (-it.tasks, it.agents),
    )
