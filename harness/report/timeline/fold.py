"""More lanes than anybody reads: which are drawn by themselves, and which share one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from harness.metrics.lanes import Lane as WholeLane

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


class Folded(NamedTuple):
    """The lanes of a picture, and where those that there are went."""

    lanes: tuple[Lane, ...]
    of: dict[int, int]
    """By index of a lane before, the index of its lane in the picture."""


def folded(names: Sequence[WholeLane], used: set[int]) -> Folded:
    """Choose the lanes of a picture.

    Every agent keeps as many of its lanes as there is room for, the same for all, and its others share its last one. When
    even the agents are too many, the first to act have one lane each, and all others share one.

    Args:
        names: All lanes.
        used: The indices of those in which anything lies.
    """
    of_agent: dict[str, list[int]] = {}
    for index in sorted(used):
        of_agent.setdefault(names[index].agent, []).append(index)
    groups = list(of_agent.values())
    alone = groups if len(groups) <= LANES else groups[: LANES - 1]
    each = _room(alone)
    lanes: list[Lane] = []
    of: dict[int, int] = {}
    for group in alone:
        own = group if len(group) <= each else group[: each - 1]
        for index in own:
            of[index] = len(lanes)
            lanes.append(Lane(*names[index]))
        if len(own) < len(group):
            of.update(dict.fromkeys(group[len(own) :], len(lanes)))
            lanes.append(Lane(names[group[0]].agent, len(own) + 1, len(group) - len(own)))
    others = [index for group in groups[len(alone) :] for index in group]
    if others:
        of.update(dict.fromkeys(others, len(lanes)))
        lanes.append(Lane("", 0, len(others)))
    return Folded(tuple(lanes), of)


def _room(groups: Sequence[Sequence[int]]) -> int:
    """How many lanes an agent may have, so that all have room."""
    each = 1
    while each < LANES and sum(min(len(group), each + 1) for group in groups) <= LANES:
        each += 1
    return each
