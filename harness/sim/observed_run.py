"""What was observed of one run of a program: its output, its calls, and the numbers about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, did_you_mean
from harness.metrics import Edge, Finding, Tally, findings, flow, summarise, tally
from harness.models.meaning import InjectedCall, TracedClaim
from harness.sim.call_view import CallList
from harness.sim.data_frame import data_frame
from harness.sim.effects import EffectList
from harness.spans import EVENT_COLUMNS, SPAN_COLUMNS, Table
from harness.texts import no_texts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ObservedRun:
    """One run of a program, as it was observed."""

    seed: int
    output: Any
    """What the program returned; None if it raised."""
    error: BaseException | None
    """What it raised."""
    latency_s: float
    """From its beginning to its end [virtual s]."""
    spans_table: Table
    events_table: Table
    all_calls: CallList
    unsimulated: dict[str, int]
    """The hosts that it tried to reach and that are not simulated."""
    faults_met: frozenset[int]
    """The faults, by number, that met at least one attempt."""
    command: str
    """What runs it again."""
    described: tuple[str, ...] = ()
    """The agents that the test described."""
    wall_s: float = 0.0
    """Real time it took [s]."""
    kept: frozenset[int] | None = None
    """Numbers of the calls whose replies are in the output; None while there is none."""
    tasks: str = ""
    """What each task of the program was doing when it failed; empty if it did not."""
    limits: Mapping[str, str] = field(default_factory=dict)
    """The rate limits of each provider that has any, in words."""
    effects: EffectList = EffectList()
    """What its tools did, in order; `effects("refund")` for those of one tool. A use that a fault has made fail after it took
    effect is among them, and one whose idempotency key was known is not."""
    claims_made: tuple[TracedClaim, ...] = ()
    """The claims of its replies, with their ways; empty where no agent judges."""
    injected_calls: tuple[InjectedCall, ...] = ()
    """Tool calls that injected instructions caused."""
    texts_table: Table = field(default_factory=no_texts)
    """Its prompts and replies as a store keeps them, with `TEXT_COLUMNS`; empty unless the simulation keeps texts."""
    _total: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        for mine in tally(self.spans_table, agents=()).agents.values():
            self._total.add(mine)

    def __repr__(self) -> str:
        return f"<run of seed {self.seed}: {len(self.all_calls)} calls, {self.latency_s:.6f} s>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from harness.report.notebook import run_html

        metrics, _ = summarise([tally(self.spans_table, agents=())])
        return run_html(f"Run of seed {self.seed}", self.spans_table, self.events_table, metrics)

    def calls(self, agent: str | None = None) -> CallList:
        """The calls of an agent, or all.

        Raises:
            HarnessError: No agent of that name was described, and none has made a call.
        """
        known = {*self.described, *self.agents}
        if agent is not None and agent not in known:
            hint = did_you_mean(agent, sorted(known))
            raise HarnessError(
                f"there is no agent {agent!r}{hint}\n  Known: {', '.join(sorted(known)) or 'none'}"
            )
        return CallList(call for call in self.all_calls if agent in (None, call.agent))

    @property
    def agents(self) -> list[str]:
        """The agents that made calls, in the order of their first."""
        return list(dict.fromkeys(call.agent for call in self.all_calls))

    @property
    def attempts(self) -> int:
        """Requests at the providers."""
        return self._total.attempts

    @property
    def retries(self) -> int:
        """Attempts that ask again after a failure: by the SDK in one call, or by the program in a call that repeats another."""
        return self._total.retries

    @property
    def rate_limited(self) -> int:
        """Attempts that were refused with a 429."""
        return self._total.rate_limited

    @property
    def input_tokens(self) -> int:
        """Tokens read, cached ones not counted."""
        return self._total.input_tokens

    @property
    def output_tokens(self) -> int:
        """Tokens generated."""
        return self._total.output_tokens

    @property
    def cost_usd(self) -> float:
        """What all attempts cost [USD]; NaN when the price of one is not known."""
        return self._total.cost_usd

    def claims(self, agent: str | None = None, *, is_true: bool | None = None) -> list[TracedClaim]:
        """The claims of its replies, each with its origin and its way, in the order in which they were made.

        Args:
            agent: Only those that this agent made.
            is_true: Only true ones, or only false ones.
        """
        return [
            claim
            for claim in self.claims_made
            if agent in (None, claim.agent) and is_true in (None, claim.is_true)
        ]

    @property
    def quality(self) -> float | None:
        """Share of true claims in the output; None if it holds none."""
        inside = [claim.is_true for claim in self.claims_made if claim.in_output]
        return sum(inside) / len(inside) if inside else None

    @property
    def contaminated(self) -> bool | None:
        """Whether the output holds a false claim; None where no claim was made, or there is no output."""
        if not self.claims_made or self.output is None:
            return None
        return any(claim.in_output and not claim.is_true for claim in self.claims_made)

    @property
    def findings(self) -> list[Finding]:
        """What there is to say about how the program deals with its providers."""
        return findings(self.spans_table, self.events_table)

    def flow(self) -> list[Edge]:
        """Which agent's replies reached whose prompts."""
        return flow(self.spans_table, self.events_table)

    def spans(self) -> pd.DataFrame:
        """The spans as a pandas DataFrame."""
        return data_frame(self.spans_table, list(SPAN_COLUMNS))

    def events(self) -> pd.DataFrame:
        """The events as a pandas DataFrame."""
        return data_frame(self.events_table, list(EVENT_COLUMNS))
