"""The `SimulatedRun` protocol: what every kind of run offers to the code that executes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Literal, Protocol

from harness.agents import Effect
from harness.chance import Draws
from harness.metrics import Finding
from harness.run.failures import Failures
from harness.run.resume import Restored
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
        """Numbers of the faults that applied to at least one attempt."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Findings about the program's use of its providers."""

    @property
    def unsimulated(self) -> Mapping[str, int]:
        """Hosts that are not simulated and that it tried to reach, with the number of tries."""

    @property
    def failures(self) -> Failures:
        """The errors of a program that ended its tasks."""

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the tools of a pattern's agents did to the world."""

    @property
    def restored(self) -> Restored:
        """What it was given back of a run that was killed."""

    def execute(self) -> Literal["done", "horizon", "killed"]:
        """Run the tasks of the workload.

        Returns:
            Whether all tasks ended, the horizon cut some off, or the run was killed.
        """
