"""`harness simulate --live`: the same pattern on the real clock, against real APIs, under a spending cap."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from harness import wall
from harness.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PASS
from harness.errors import HarnessError
from harness.metrics.engine import LIVE
from harness.models.spending import Purse
from harness.printable import printable
from harness.run import Results, simulate
from harness.run.keep import Keeping, write
from harness.run.live import MAX_TOKENS, Live, live_scenario, run_live
from harness.run.record import record, replay_command
from harness.scenario import LoadedScenario, load_scenario
from harness.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What the command line says of a live run."""

    max_usd: float | None
    """What all of its runs may cost together [USD]."""
    base_urls: Sequence[str] = ()
    """Where providers are, each as `provider=URL`."""
    max_tokens: int = MAX_TOKENS
    cassette: Path | None = None
    """Where the calls are recorded; None records nothing."""


def simulate_live(
    file: Path,
    *,
    runs: int | None,
    seed: int | None,
    overrides: Sequence[str],
    store: Path,
    output: str,
    keep_texts: bool,
    options: LiveOptions,
) -> int:
    """Run a scenario live.

    Args:
        file: The scenario.
        runs: How many runs, one after the other; None means one.
        seed: The first seed; None means the scenario's.
        overrides: Changes to the scenario, each as `path=value`.
        store: Where the runs are kept.
        output: `table`, `json`, or nothing at all.
        keep_texts: Whether the store keeps prompts and replies.
        options: The rest.

    Returns:
        The exit code; 1 if a budget does not hold, or the cap kept calls from being made.
    """
    if options.max_usd is None:
        raise HarnessError(
            "a live run spends money, and needs a cap\n  How to fix: --max-usd 0.50, in US dollars, for all runs together"
        )
    loaded = load_scenario(file, overrides=overrides)
    scenario = dataclasses.replace(live_scenario(loaded), keep_texts=keep_texts)
    live = Live(
        purse=Purse(options.max_usd),
        base_urls=_base_urls(options.base_urls, loaded),
        max_tokens=options.max_tokens,
    )
    seeds = scenario.spec.seeds(first=seed, runs=1 if runs is None else runs)
    _tell_costs(loaded, scenario, seeds, live)
    kept = Store(store)
    write(kept, [])  # tells now, and not after money was spent, when it cannot be written
    results = Results(scenario)
    words = ["harness", "simulate", str(file), "--live", "--max-usd", f"{options.max_usd:g}"]
    with _recording(options.cassette), Keeping(kept) as keeping:
        is_interrupted = False
        for number in seeds:
            result, is_interrupted = run_live(scenario, number, live)
            results.add(result)
            run = record(scenario, result)
            keeping.add(dataclasses.replace(run, command=shlex.join(words), engine=LIVE))
            if is_interrupted:
                break
    purse, outcome = live.purse, results.outcome()
    if output == "json":
        said = {"runs": outcome.runs, "run_ids": keeping.run_ids, "metrics": outcome.metrics, "agents": outcome.agents}  # fmt: skip
        spent = {"engine": LIVE, "spent_usd": purse.spent_usd, "cap_usd": purse.cap_usd, "calls_not_made": purse.refused}  # fmt: skip
        click.echo(json.dumps({"scenario": scenario.spec.scenario, **said, **spent}, indent=2))
    elif output == "table":
        from harness.cli.tables import print_outcome

        again = f"to simulate it: {replay_command(loaded, seeds[0])}"
        print_outcome(scenario, seeds, outcome, keeping.run_ids, store, again=again)
    _tell(f"spent ${purse.spent_usd:.4f} of ${purse.cap_usd:g}")
    if purse.refused:
        _tell(f"{purse.refused} calls were not made, because they could have cost more than what was left of the cap")  # fmt: skip
    if is_interrupted:
        _tell("interrupted; what was done until then is stored")
        return EXIT_INTERRUPTED
    return EXIT_PASS if outcome.passed and not purse.refused else EXIT_FAILED


def _tell_costs(
    loaded: LoadedScenario, scenario: LoadedScenario, seeds: Sequence[int], live: Live
) -> None:
    """Say what a live run will cost, by simulating it, before anything is asked."""
    simulated = simulate(loaded, seeds[0])
    attempts = [
        cost for kind, cost in simulated.spans.rows("kind", "cost_usd") if kind == "attempt"
    ]
    likely_usd = sum(cost for cost in attempts if cost == cost) * len(seeds)
    models = {part.name for part in scenario.of_pattern.models.values()}
    _tell(
        f"live: about {len(attempts) * len(seeds)} calls of {', '.join(sorted(models))}, simulated to cost ${likely_usd:.4f}; "
        f"at most ${live.purse.cap_usd:g} is spent"
    )
    where = [f"{name} at {url}" for name, url in live.base_urls.items()]
    if where:
        _tell(f"live: {'; '.join(where)}")
    left_out = [
        what
        for what, is_there in (
            ("faults", loaded.spec.faults),
            ("stubs", any(part.stub or part.cassette for part in loaded.spec.agents.values())),
        )
        if is_there
    ]
    if left_out:
        _tell(f"live: without the {' and '.join(left_out)} of the scenario")
    if loaded.of_pattern.tools:
        _tell("live: tools answer what the scenario says, and do nothing real")


def _recording(cassette: Path | None) -> ExitStack:
    """Record the calls of this process into a cassette while inside."""
    if cassette is None:
        return ExitStack()
    from harness.recording.recorder import Recorder, recording

    if cassette.exists():
        raise HarnessError(
            f"{cassette}: there is a cassette already\n  How to fix: name another, or delete it"
        )
    zero_s = wall.elapsed_s()
    return recording(Recorder(cassette, lambda: wall.elapsed_s() - zero_s))


def _base_urls(stated: Sequence[str], scenario: LoadedScenario) -> Mapping[str, str]:
    found = {}
    for one in stated:
        provider, equals, url = one.partition("=")
        if not equals or not url.startswith(("http://", "https://")):
            raise HarnessError(
                f"--base-url {one}: write it as PROVIDER=URL, such as anthropic=http://127.0.0.1:8123"
            )
        if provider not in scenario.spec.providers:
            raise HarnessError(
                f"--base-url {one}: the scenario has no provider {provider!r}; it has {', '.join(scenario.spec.providers)}"
            )
        found[provider] = url
    return found


def _tell(line: str) -> None:
    click.echo(printable(line), err=True)
