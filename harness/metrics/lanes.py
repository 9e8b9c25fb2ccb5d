"""Lanes: rows of a drawing in which spans do not overlap unless they nest.

In a lane spans nest: of any two, one contains the other or they have no time in common. That is what
timelines can draw and what Perfetto demands of the slices of one thread. One agent may have several lanes, because it
may do several things at once.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from harness.spans import Table


class Lane(NamedTuple):
    """One row of a drawing."""

    agent: str
    """Whose spans lie in it; empty for the tasks' own."""
    number: int
    """Counted from 1 among the lanes of the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Where every span of a table lies."""

    of_row: array[int]
    """By row of the table, the index of its lane in `names`; -1 for a span that has no end."""
    names: tuple[Lane, ...]
    """The lanes: agents in the order in which they first did anything, and the lanes of each by number."""


def lanes(spans: Table) -> Lanes:
    """Assign spans to lanes.

    A span lies on its parent when it is of the same agent, lies within it in time, and nothing else lies on the parent
    then; otherwise it begins in the lowest lane of its agent that is free.

    Args:
        spans: The spans of a run, in any order.

    Returns:
        The lanes; the same for the same spans, whatever their order in the table.
    """
    agent_of, parent_ids = spans["agent"], spans["parent_id"]
    arrivals_s, ends_s = spans["arrival_s"], spans["end_s"]
    row_of = dict(zip(spans["span_id"], range(len(spans)), strict=True))
    lane_of = array("i", [-1]) * len(spans)
    open_in: list[list[int]] = []  # by lane, the rows that lie on one another, the innermost last
    agents: dict[int, _Agent] = {}
    for row in by_beginning(spans):
        agent, arrival_s, end_s = agent_of[row], arrivals_s[row], ends_s[row]
        parent = row_of.get(parent_ids[row], row)
        lane = lane_of[parent] if agent_of[parent] == agent else -1
        if lane >= 0:
            inside = open_in[lane]
            while inside and inside[-1] != parent and ends_s[inside[-1]] <= arrival_s:
                inside.pop()
            if inside and inside[-1] == parent and end_s <= ends_s[parent]:
                inside.append(row)
                lane_of[row] = lane
                continue
        if agent not in agents:
            agents[agent] = _Agent()
        lane = lane_of[row] = agents[agent].free_lane(arrival_s, end_s, new=len(open_in))
        if lane == len(open_in):
            open_in.append([])
        open_in[lane] = [row]
    return _by_agent(agents, spans.texts, lane_of)


@dataclass(slots=True)
class _Agent:
    """The lanes of one agent, while spans are laid into them."""

    all: list[int] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    """A heap of lanes in which nothing lies; lanes are counted as they are made, so the lowest is the oldest."""
    busy: list[tuple[float, int]] = field(default_factory=list)
    """A heap of until when a lane is taken [s], and the lane."""

    def free_lane(self, from_s: float, to_s: float, *, new: int) -> int:
        """The lowest lane that is free from a moment on, which is then taken until another; `new` if there is none."""
        while self.busy and self.busy[0][0] <= from_s:
            heappush(self.free, heappop(self.busy)[1])
        if self.free:
            lane = heappop(self.free)
        else:
            lane = new
            self.all.append(lane)
        heappush(self.busy, (to_s, lane))
        return lane


def by_beginning(spans: Table) -> list[int]:
    """The rows of the spans that have an end, by their beginning: the outer before the inner, and then the older."""
    arrivals_s, ends_s = spans["arrival_s"], spans["end_s"]
    rows = [row for row in range(len(spans)) if ends_s[row] >= arrivals_s[row]]
    # Sorting keeps the order of equals, and three numbers a span are sorted faster than a tuple of them.
    rows.sort(key=spans["span_id"].__getitem__)
    rows.sort(key=ends_s.__getitem__, reverse=True)
    rows.sort(key=arrivals_s.__getitem__)
    return rows


def _by_agent(agents: dict[int, _Agent], texts: list[str], lane_of: array[int]) -> Lanes:
    """Number the lanes anew, so that those of an agent stand together."""
    names: list[Lane] = []
    index_of = [-1] * (sum(len(agent.all) for agent in agents.values()) + 1)  # its last is for -1
    for code, agent in agents.items():
        for number, lane in enumerate(agent.all, 1):
            index_of[lane] = len(names)
            names.append(Lane(texts[code], number))
    return Lanes(of_row=array("i", map(index_of.__getitem__, lane_of)), names=tuple(names))
