"""What a scenario states of an agent's judgement."""

from __future__ import annotations

from harness.models.meaning import Traits
from harness.scenario.section import Section
from harness.units import Probability


class Judging(Section):
    """How well an agent judges; without any of it replies claim nothing."""

    accuracy: Probability | None = None
    """Share of its claims that are right; gives `quality_mean`. A true claim that it passes on is garbled with the rest."""
    catches: Probability = 0.0
    """Share of the false claims it reads that it notices; it corrects them."""
    sways: Probability = 0.0
    """Share of its replies that give up its own view for that of the majority of what it reads."""
    correlation: Probability = 0.0
    """Share of tasks in which its errors are those that all agents of its model make."""
    gullible: Probability = 0.0
    """Share of injected instructions in what it reads that it obeys."""
    wrong_reply: str | None = None
    """What it says instead of its reply if that holds a false claim; absent means the same."""
    objection: str | None = None
    """What it says instead of its reply if it has noticed a false claim; absent means the same."""

    @property
    def traits(self) -> Traits:
        """How well it judges."""
        return Traits(
            accuracy=self.accuracy,
            catches=self.catches,
            sways=self.sways,
            correlation=self.correlation,
            gullible=self.gullible,
            wrong_reply=self.wrong_reply,
            objection=self.objection,
        )
