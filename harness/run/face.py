"""What a run shows of itself to whoever executes it, whatever is simulated in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Literal, Protocol

from harness.chance import Draws
from harness.metrics import Finding
from harness.run.failures import Failures
from harness.spans import SpanLog
from harness.texts import Texts


class SimulatedRun(Protocol):
    """One run: of a pattern, or of a program of the user."""

    on_task_end: Callable[[], None] | None
    """Called whenever a task has ended; it must not touch the run."""

    @property
    def texts(self) -> Texts | None:
        """The prompts and replies of its calls; None if they are not kept."""

    @property
    def draws(self) -> Draws:
        """Where all its chance comes from."""

    @property
    def log(self) -> SpanLog:
        """What happens."""

    @property
    def stub_lines_used(self) -> Mapping[str, Set[int]]:
        """The lines of each agent's script that were asked for."""

    @property
    def faults_met(self) -> Set[int]:
        """The faults, by number, that met at least one attempt."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What there is to say about how a program deals with its providers."""

    @property
    def unsimulated(self) -> Mapping[str, int]:
        """The hosts that it wanted to reach and nobody simulates, each with how often."""

    @property
    def failures(self) -> Failures:
        """The errors of a program that ended its tasks."""

    def execute(self) -> Literal["done", "horizon"]:
        """Let the tasks come and be worked on.

        Returns:
            Whether all tasks came to an end, or the horizon cut some.
        """
