"""Fold lanes when there are too many: which are drawn separately, and which share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple, TypeVar

from harness.metrics.lanes import Lane as WholeLane
from harness.report.timeline.names import LETTERS, shown

LANES: Final = 40
"""In one picture at most: a screen's height. A thousand workers side by side look like forty."""


class Lane(NamedTuple):
    """One row of the picture."""

    agent: str
    """Whose time it shows; empty for the task's own, and for one that many agents share."""
    number: int
    """Counted from 1 among the lanes of its agent; 0 for one that many agents share."""
    shared: int = 0
    """How many lanes it stands for, where it is not one itself."""


def lane_names(lanes: Sequence[Lane], letters: int = LETTERS) -> list[str]:
    """What the lanes are called, with a number where an agent has several; not escaped.

    Args:
        lanes: Those of a picture.
        letters: How many a name may have.
    """
    of_agent = Counter(lane.agent for lane in lanes if lane.number)
    return [_called(lane, letters, several=of_agent[lane.agent] > 1) for lane in lanes]


def _called(lane: Lane, letters: int, *, several: bool) -> str:
    if not lane.number:
        return f"{lane.shared:,} more lanes"
    after = f" {lane.number}" if several and not lane.shared else ""
    if lane.shared:
        after = f", {lane.shared:,} {'more' if several else 'lanes'}"
    return f"{shown(lane.agent or 'task', letters - len(after))}{after}"


class Folded(NamedTuple):
    """The lanes of a picture, and where those that there are went."""

    lanes: tuple[Lane, ...]
    of: dict[int, int]
    """By index of a lane before, the index of its lane in the picture."""


def folded(names: Sequence[WholeLane], used: set[int], important: set[int]) -> Folded:
    """Choose the lanes of a picture.

    Every agent keeps as many of its lanes as there is room for, the same for all, and its others share one. When even the
    agents are too many, some have one lane each, and all others share one. What is important goes before what is not.

    Args:
        names: All lanes.
        used: The indices of those in which anything lies.
        important: The indices of those that should have a lane to themselves.
    """
    of_agent: dict[str, list[int]] = {}
    for index in sorted(used):
        of_agent.setdefault(names[index].agent, []).append(index)
    agents = _chosen(list(of_agent), LANES, {names[index].agent for index in important & used})
    groups = [of_agent[agent] for agent in agents]
    each = _room(groups)
    lanes: list[Lane] = []
    of: dict[int, int] = {}
    for group in groups:
        own = _chosen(group, each, important)
        for index in own:
            of[index] = len(lanes)
            lanes.append(Lane(*names[index]))
        rest = [index for index in group if index not in of]
        if rest:
            of.update(dict.fromkeys(rest, len(lanes)))
            lanes.append(Lane(names[group[0]].agent, names[rest[0]].number, len(rest)))
    others = [index for index in sorted(used) if index not in of]
    if others:
        of.update(dict.fromkeys(others, len(lanes)))
        lanes.append(Lane("", 0, len(others)))
    return Folded(tuple(lanes), of)


_T = TypeVar("_T", int, str)


def _chosen(found: Sequence[_T], room: int, important: AbstractSet[_T]) -> list[_T]:
    """All if there is room, else so many that there is room for one more; in their order, the important ones at any rate."""
    if len(found) <= room:
        return list(found)
    ranked = sorted(range(len(found)), key=lambda place: found[place] not in important)
    return [found[place] for place in sorted(ranked[: room - 1])]


def _room(groups: Sequence[Sequence[int]]) -> int:
    """How many lanes an agent may have, so that all have room."""
    each = 1
    while each < LANES and sum(min(len(group), each + 1) for group in groups) <= LANES:
        each += 1
    return each
