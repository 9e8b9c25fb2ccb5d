"""Waits between agents: the agents at which the critical path was before others could continue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from harness.metrics.critical_path import HAND_OFF, Segment


class Waited(NamedTuple):
    """One agent that went on when another had finished."""

    agent: str
    """Who waited."""
    waited_for: str
    times: int
    """How often the path went from one to the other."""
    wait_s: float
    """For how long the path had stood at that other then, all times together [s]."""


def waited(paths: Iterable[Sequence[Segment]]) -> list[Waited]:
    """Count the waits between agents on some critical paths, in order of first occurrence.

    A path stays at an agent as long as its segments are of that agent; what belongs to no agent is passed over.
    """
    found: dict[tuple[str, str], tuple[int, float]] = {}
    for path in paths:
        stays = [
            (agent, sum(segment.duration_s for segment in stay))
            for agent, stay in groupby(
                (it for it in path if it.kind != HAND_OFF and it.agent), key=lambda it: it.agent
            )
        ]
        for (before, stay_s), (agent, _) in pairwise(stays):
            times, wait_s = found.get((agent, before), (0, 0.0))
            found[agent, before] = (times + 1, wait_s + stay_s)
    return [Waited(*agents, *numbers) for agents, numbers in found.items()]
