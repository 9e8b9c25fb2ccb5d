"""Answers that runs at several points give: a capacity, a knee, what matters most, how reliable k runs are.

Each file is one question. They take what was read from the store, and `capacity.py` asks for more runs.
"""

from __future__ import annotations

from harness.metrics.reliability import pass_k
from harness.sweep.answers.capacity import Capacity, find_capacity
from harness.sweep.answers.conditions import Condition, Holds, condition_of
from harness.sweep.answers.decide import Decisions, decide
from harness.sweep.answers.knee import Knee, knee_of
from harness.sweep.answers.sensitivity import Effect, effects_of
from harness.sweep.answers.surface import Reliability, reliability_of

__all__ = [
    "Capacity",
    "Condition",
    "Decisions",
    "Effect",
    "Holds",
    "Knee",
    "Reliability",
    "condition_of",
    "decide",
    "effects_of",
    "find_capacity",
    "knee_of",
    "pass_k",
    "reliability_of",
]
