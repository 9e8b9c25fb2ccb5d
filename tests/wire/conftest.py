"""What tests of SDKs have in common: retries whose waits are known, and what a program's failure looks like."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from harness.sim import ProgramRun, Sim

anthropic_base = pytest.importorskip("anthropic._base_client")
openai_base = pytest.importorskip("openai._base_client")

SERVICE_S = 2.0
"""One second to the first token, and a tenth for each of ten."""
REPLY = "one two three four five six seven eight nine ten"


class Failed(NamedTuple):
    """A failure, as whoever called the SDK sees it."""

    error: str
    status: int | None
    type: str | None
    cause: str | None
    attempts: int
    end_s: float
    """When it came [virtual s]."""


class Bench:
    """One agent, for all models, whose every reply takes two seconds."""

    service_s = SERVICE_S
    reply = REPLY

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        sim.agent(
            "agent",
            model="*",
            reply=REPLY,
            latency_s={"ttft_s": 1.0, "itl_s": 0.1},
            output_tokens=10,
            allow_unused=True,
        )

    def failure(self, program: object, *args: object) -> Failed:
        """Run a program that must fail."""
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is asserted by the test
            self.sim.run(program, *args)  # type: ignore[arg-type]
        error, run = caught.value, self.run
        return Failed(
            name_of(error),
            getattr(error, "status_code", None),
            getattr(error, "type", None),
            None if error.__cause__ is None else name_of(error.__cause__),
            run.attempts,
            run.latency_s,
        )

    @property
    def run(self) -> ProgramRun:
        """The latest run, which may have failed."""
        assert self.sim.last_run is not None
        return self.sim.last_run

    @property
    def attempts(self) -> list[tuple[str, str, float, float]]:
        """Status, error, beginning and end of each attempt, in order."""
        return [
            (span.status, span.error, span.arrival_s, span.end_s)
            for call in self.run.calls()
            for span in call.attempts
        ]


def name_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs retry after 0.5 s, 1 s, 2 s and so on, exactly."""
    for module in (anthropic_base, openai_base):
        monkeypatch.setattr(module, "random", lambda: 0.0)


@pytest.fixture
def bench(sim: Sim, no_jitter: None) -> Bench:
    return Bench(sim)
