"""How well an agent judges: numbers that decide whether its claims are true, and which claims it passes on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.chance import Draws
from harness.models.api import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What is stated of an agent's judgement; nothing by default."""

    accuracy: float | None = None
    """Probability that a claim it makes, or a true claim it passes on, is true; None if not stated."""
    catches: float = 0.0
    """Probability that it notices a false claim that it reads; it corrects what it notices."""
    sways: float = 0.0
    """Probability that it gives up its own view and takes that of the majority of what it reads."""
    correlation: float = 0.0
    """Probability, for each task, that its errors are those that all agents of its model make."""
    gullible: float = 0.0
    """Probability that it obeys an instruction that was injected into what it reads."""
    wrong_reply: str | None = None
    """What it says instead of its reply when that holds a false claim."""
    objection: str | None = None
    """What it says instead of its reply when it has noticed a false claim."""


def shares_errors(draws: Draws, request: Request, correlation: float) -> bool:
    """Whether an agent's errors in this task are those of its model; the draw is common to all agents of the model."""
    if not correlation:
        return False
    task = str(request.call_span.task)
    return draws.uniform(task, request.model, "shares errors") < correlation


def is_right(draws: Draws, request: Request, traits: Traits, number: int = 0) -> bool | None:
    """Whether a claim of a reply is true, as far as the agent decides it.

    Args:
        draws: Source of random values.
        request: The call.
        traits: The agent's.
        number: Which claim of the reply, from 0.

    Returns:
        None if no accuracy is stated.
    """
    if traits.accuracy is None:
        return None
    key = [request.key]
    if shares_errors(draws, request, traits.correlation):
        key = [str(request.call_span.task), request.model, str(request.call_in_task)]
    key += ["accuracy"] if number == 0 else ["accuracy", str(number)]
    return draws.uniform(*key) < traits.accuracy
