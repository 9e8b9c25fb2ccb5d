"""A live run: the agents and the pattern of a scenario on the real clock, against real APIs.

Everything but the models is as in a simulated run: workload, pattern, policies, tools with their stated latency. Providers, faults,
stubs and cassettes of the scenario stay out of it: who answers is real.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Literal

from harness.errors import HarnessError
from harness.models import Model
from harness.models.live import LiveApi, LiveModel
from harness.models.live_apis import live_api
from harness.models.spending import Purse
from harness.run.build import PatternRun
from harness.run.functions import modules_of_run
from harness.run.one import RunResult, run_result
from harness.run.wall_loop import WallLoop
from harness.run.workload import run_workload
from harness.scenario import LoadedScenario, Scenario
from harness.scenario.functions import load_libraries
from harness.scenario.members import AgentSpec

MAX_TOKENS = 1_024
"""The most that a reply may have, if nothing else is said [tokens]."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How a live run asks."""

    purse: Purse
    """What may be spent."""
    base_urls: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Where providers are, by name; those that are absent are where they really are."""
    max_tokens: int = MAX_TOKENS
    """The most that a reply may have [tokens]."""


def live_scenario(scenario: LoadedScenario) -> LoadedScenario:
    """A scenario as it is run live: nothing of it is simulated but its tools.

    Raises:
        HarnessError: It cannot be run live.
    """
    spec = scenario.spec
    if not isinstance(spec, Scenario):
        raise HarnessError(
            f"{scenario.source}: a program of your own runs live by itself\n"
            "  How to fix: harness record -- python your_program.py"
        )
    unpriced = [name for name in _models_used(spec) if scenario.prices[name] is None]
    if unpriced:
        raise HarnessError(
            f"{scenario.source}: the prices of {', '.join(unpriced)} are not known, so that no cap could hold\n"
            "  How to fix: state its `prices:` {input_usd_per_mtok: ..., output_usd_per_mtok: ...}"
        )
    return dataclasses.replace(
        scenario,
        spec=spec.model_copy(update={"faults": ()}),
        # Two live runs are never the same run, nor one that is simulated.
        digest=f"live-{scenario.digest}"[:16],
    )


def _models_used(spec: Scenario) -> list[str]:
    return list(dict.fromkeys(part.model for part in spec.agents.values()))


class LiveRun(PatternRun):
    """One live run.

    Args:
        scenario: What `live_scenario` gave.
        seed: Decides the tasks and the tools.
        live: How it asks.
    """

    def __init__(self, scenario: LoadedScenario, seed: int, live: Live) -> None:
        self._live = live
        self._apis: dict[str, LiveApi] = {}
        super().__init__(scenario, seed)
        self.is_interrupted = False
        """Whether it was interrupted before its end."""
        self._loop: WallLoop | None = None
        self.log.clock = self._now_s

    def _now_s(self) -> float:
        return 0.0 if self._loop is None else self._loop.time()

    def _model(self, name: str, part: AgentSpec) -> Model:
        """What an agent asks: the real API of its model."""
        model = self.spec.models[part.model]
        api = self._apis.get(model.provider)
        if api is None:
            base_url = self._live.base_urls.get(model.provider)
            api = self._apis[model.provider] = live_api(model.provider, model.name, base_url)
        prices = self._scenario.prices[part.model]
        assert prices is not None, "live_scenario has looked"
        return LiveModel(
            api=api,
            name=model.name,
            prices=prices,
            purse=self._live.purse,
            max_tokens=self._live.max_tokens,
            log=self.log,
        )

    def _execute(self) -> Literal["done", "horizon"]:
        try:
            with asyncio.Runner(loop_factory=WallLoop) as runner:
                loop = runner.get_loop()
                assert isinstance(loop, WallLoop), "made above"
                self._loop = loop
                return runner.run(self._work())
        except (
            KeyboardInterrupt
        ):  # what was paid for is kept; leaving the runner has cancelled the rest
            self.is_interrupted = True
            return "horizon"

    async def _work(self) -> Literal["done", "horizon"]:
        try:
            return await run_workload(self.spec, self.draws, self.work_on)
        finally:
            for api in self._apis.values():
                await api.close()


def run_live(scenario: LoadedScenario, seed: int, live: Live) -> tuple[RunResult, bool]:
    """Execute one live run, to its end or until it is interrupted.

    Args:
        scenario: What `live_scenario` gave.
        seed: Decides the tasks and the tools; what models say, and when, it does not.
        live: How it asks.

    Returns:
        What came of it, and whether it was interrupted.
    """
    load_libraries(scenario.functions, scenario.folder)
    with modules_of_run(scenario):
        run = LiveRun(scenario, seed, live)
        return run_result(scenario, run, seed), run.is_interrupted
