"""A file that is right becomes the records that the simulation runs on."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.chance import Draws
from harness.chance.arrivals import AnyArrivals, At, Closed, Every, Poisson, Trace
from harness.chance.distributions import (
    AnyDistribution,
    Constant,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    Normal,
    Uniform,
    Weibull,
)
from harness.errors import ScenarioError
from harness.patterns import PATTERNS
from harness.provider import Latency, Limits, Outage, Overload, Prices, Queue, Tail
from harness.resilience import Policies, Retry
from harness.scenario import LoadedScenario, load_scenario
from harness.scenario.bounds import Budget
from harness.scenario.schema import Kind

Write = Callable[[str, str], str]

BASE = Path(__file__).with_name("base.yaml").read_text(encoding="utf-8")
FILE = "scenario.yaml"
STUB = "replies.yaml"

SMALLEST = """\
scenario: smallest
workload: {tasks: 1}
providers: {anthropic: {}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents: {writer: {model: fast}}
pattern: {single: {agent: writer}}
"""


def load(text: str, *overrides: str) -> LoadedScenario:
    Path(FILE).write_text(text, encoding="utf-8")
    return load_scenario(FILE, overrides=overrides)


# -- what is not said -------------------------------------------------------------------------------


def test_smallest_scenario_has_the_documented_defaults() -> None:
    spec = load(SMALLEST).of_pattern
    assert (spec.seed, spec.runs, spec.horizon_s, spec.description) == (1, 1, 30 * 86_400, "")
    assert spec.workload.arrivals == Closed(users=1, think_s=Constant(0))
    assert spec.workload.kinds == (Kind(),)
    assert (spec.workload.kinds[0].kind, spec.workload.kinds[0].weight) == ("task", 1.0)
    assert spec.workload.warmup_tasks == 0
    provider = spec.providers["anthropic"]
    assert (provider.limits, provider.concurrency, provider.queue) == (None, None, None)
    assert (provider.overload, provider.outages) == (None, ())
    writer = spec.agents["writer"]
    assert (writer.stub, writer.system, writer.system_tokens, writer.tools) == (None, "", None, ())
    assert spec.policies_of("writer") == Policies()
    assert (spec.tools, spec.faults, spec.budgets) == ({}, (), {})


def test_loaded_scenario_keeps_what_the_user_said() -> None:
    scenario = load(SMALLEST, "workload.tasks=3", "seed=7")
    assert (scenario.source, scenario.overrides) == (FILE, ("workload.tasks=3", "seed=7"))
    assert (scenario.of_pattern.workload.tasks, scenario.of_pattern.seed) == (3, 7)


# -- distributions and arrivals ---------------------------------------------------------------------

DISTRIBUTIONS: dict[str, tuple[str, AnyDistribution]] = {
    "whole number": ("5", Constant(5.0)),
    "broken number": ("0.25", Constant(0.25)),
    "zero": ("0", Constant(0.0)),
    "constant": ("{constant: {value: 5}}", Constant(5.0)),
    "uniform": ("{uniform: {low: 1, high: 2}}", Uniform(low=1, high=2)),
    "uniform from zero": ("{uniform: {high: 2}}", Uniform(low=0, high=2)),
    "exponential": ("{exponential: {mean: 3}}", Exponential(mean=3)),
    "normal": ("{normal: {mu: 900, sigma: 150}}", Normal(mu=900, sigma=150)),
    "lognormal": ("{lognormal: {median: 2, sigma: 0.4}}", LogNormal(median=2, sigma=0.4)),
    "gamma": ("{gamma: {shape: 4, scale: 50}}", Gamma(shape=4, scale=50)),
    "weibull": ("{weibull: {shape: 1.5, scale: 220}}", Weibull(shape=1.5, scale=220)),
    "empirical values": ("{empirical: {values: [3, 1, 2]}}", Empirical(values=(3, 1, 2))),
    "empirical file": ("{empirical: {file: values.csv}}", Empirical(file="values.csv")),
}


@pytest.mark.parametrize(("text", "expected"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_distribution_becomes_its_record(
    written: Write, text: str, expected: AnyDistribution
) -> None:
    written("values.csv", "tokens\n1\n2\n")
    spec = load(BASE.replace("input_tokens: 100", f"input_tokens: {text}")).of_pattern
    assert spec.workload.kinds[0].input_tokens == expected


ARRIVALS: dict[str, tuple[str, AnyArrivals]] = {
    "poisson": ("{poisson: {rate_per_s: 0.5}}", Poisson(rate_per_s=0.5)),
    "every": ("{every_s: 5}", Every(every_s=5)),
    "at": ("{at_s: [0, 0, 3.5]}", At(at_s=(0, 0, 3.5))),
    "closed": (
        "{closed: {users: 4, think_s: {exponential: {mean: 10}}}}",
        Closed(users=4, think_s=Exponential(mean=10)),
    ),
    "closed with a number": (
        "{closed: {users: 4, think_s: 10}}",
        Closed(users=4, think_s=Constant(10)),
    ),
    "trace": (
        "{trace: {file: rows.csv, time: at, input_tokens: size, limit: 5, speed: 2}}",
        Trace(file="rows.csv", time="at", input_tokens="size", limit=5, speed=2),
    ),
}


@pytest.mark.parametrize(("text", "expected"), ARRIVALS.values(), ids=ARRIVALS)
def test_arrivals_become_their_record(written: Write, text: str, expected: AnyArrivals) -> None:
    written("rows.csv", "at,size\n0,5\n1,6\n")
    assert load(BASE.replace("{every_s: 5}", text)).of_pattern.workload.arrivals == expected


def test_times_and_traces_need_no_number_of_tasks(written: Write) -> None:
    written("rows.csv", "at\n0\n1\n")
    without = BASE.replace("  tasks: 4\n", "")
    for arrivals in ("{at_s: [0, 1]}", "{trace: {file: rows.csv, time: at}}"):
        assert load(without.replace("{every_s: 5}", arrivals)).of_pattern.workload.tasks is None


def test_timestamps_of_a_trace_become_seconds_from_the_first(written: Write) -> None:
    written("rows.csv", "at\n2023-11-16 18:15:48.5000000\n2023-11-16 18:15:46.5000000\n")
    arrivals = load(BASE.replace("{every_s: 5}", "{trace: {file: rows.csv, time: at}}"))
    trace = arrivals.of_pattern.workload.arrivals
    assert isinstance(trace, Trace)
    assert [row.at_s for row in trace.arrivals(Draws(1))] == [0, 2]


# -- providers, models, patterns, policies, faults, budgets -----------------------------------------


def test_provider_becomes_its_records() -> None:
    text = """{limits: {requests_per_min: 10, input_tokens_per_min: 20, output_tokens_per_min: 30},
      concurrency: 4, queue: {capacity: 9}, overload: {calm_s: 60, overloaded_s: 5, refuse: 0.5},
      outages: [{at_s: 3, for_s: 4}, {at_s: 9, for_s: 1, error: connection_error}]}"""
    provider = load(
        SMALLEST.replace("{anthropic: {}}", f"{{anthropic: {text}}}")
    ).of_pattern.providers
    assert provider["anthropic"].limits == Limits(
        requests_per_min=10, input_tokens_per_min=20, output_tokens_per_min=30
    )
    assert provider["anthropic"].concurrency == 4
    assert provider["anthropic"].queue == Queue(capacity=9)
    assert provider["anthropic"].overload == Overload(
        calm_s=Constant(60), overloaded_s=Constant(5), refuse=0.5
    )
    assert provider["anthropic"].outages == (
        Outage(at_s=3, for_s=4, error="api_error"),
        Outage(at_s=9, for_s=1, error="connection_error"),
    )


def test_latency_and_prices_are_those_of_the_file_when_it_says_so() -> None:
    model = """name: made-up, latency: {ttft_s: 1, itl_s: 0.01, factor: {uniform: {high: 2}},
      prefill_s_per_1k_input_tokens: 0.1, tail: {probability: 0.01, factor: 8}},
      prices: {input_usd_per_mtok: 3, output_usd_per_mtok: 15}"""
    scenario = load(SMALLEST.replace("name: claude-haiku-4-5", model))
    assert scenario.latencies["fast"] == Latency(
        ttft_s=Constant(1),
        itl_s=Constant(0.01),
        factor=Uniform(high=2),
        prefill_s_per_1k_input_tokens=0.1,
        tail=Tail(probability=0.01, factor=8),
    )
    assert scenario.prices["fast"] == Prices(input_usd_per_mtok=3, output_usd_per_mtok=15)


def test_latency_and_prices_are_found_by_the_name_of_the_model() -> None:
    plain = load(SMALLEST)
    dated = load(SMALLEST.replace("claude-haiku-4-5", "claude-haiku-4-5-20251001"))
    assert plain.latencies == dated.latencies
    assert plain.prices["fast"] == Prices(
        input_usd_per_mtok=1,
        output_usd_per_mtok=5,
        cache_read_usd_per_mtok=0.1,
        cache_write_usd_per_mtok=1.25,
    )
    assert plain.prices == dated.prices


def test_prices_that_nobody_knows_are_absent() -> None:
    scenario = load(SMALLEST.replace("claude-haiku-4-5", "made-up, latency: {ttft_s: 1}"))
    assert scenario.prices == {"fast": None}


def test_every_pattern_has_a_scenario_that_loads() -> None:
    said = {
        "single": "{agent: writer}",
        "pipeline": "{stages: [writer, editor, writer]}",
        "orchestrator_worker": "{orchestrator: writer, workers: [editor, editor], on_failure: partial}",
        "react": "{agent: editor, max_iterations: 3}",
        "parallel": "{members: [writer, editor], aggregate: {quorum: {k: 2, by: writer}}}",
        "debate": "{proponents: [writer], critics: [editor], judge: editor}",
        "consensus": "{proposer: writer, voters: [editor, writer], weights: {editor: 2}, tie: first}",
        "refine": "{generator: writer, critic: editor, max_drafts: 2, on_exhausted: last}",
        "handoff": "{start: writer, agents: [editor], carry: summary, summarizer: writer}",
        "market": "{contractors: [writer, editor], award: highest, team_size: 2, manager: writer}",
        "mesh": "{peers: [writer, editor], versions: {writer: [v1, v2], editor: [v2]}, on_mismatch: drop}",
        "blackboard": "{members: [writer, editor], state: {pessimistic: {timeout_s: 5}}, on_exhausted: board}",
        "hierarchical": "{manager: writer, reports: [editor, {manager: writer, reports: [editor]}], split: true}",
        "router": "{router: writer, specialists: {words: [writer, editor]}, assign: least_loaded, max_direct: 1}",
        "bus": "{subscribers: [{agent: editor, topics: [task], publishes: answer}], observers: [writer]}",
        "hybrid": "{manager: writer, workers: [editor], version: v1}",
    }
    assert said.keys() == PATTERNS.keys()
    for name, roles in said.items():
        pattern = load(
            BASE.replace("pipeline: {stages: [writer, editor]}", f"{name}: {roles}")
        ).of_pattern.pattern
        assert isinstance(pattern, PATTERNS[name])


def test_policies_of_an_agent_stand_over_the_default() -> None:
    text = """  default: {timeout_s: 60, max_in_flight: 2, retry: {attempts: 3}}
  agents: {writer: {timeout_s: 5, fallback: editor}}
"""
    spec = load(BASE.replace("  default: {timeout_s: 60}\n", text)).of_pattern
    retry = Retry(attempts=3)
    assert spec.policies_of("editor") == Policies(timeout_s=60, max_in_flight=2, retry=retry)
    assert spec.policies_of("writer") == Policies(
        timeout_s=5, max_in_flight=2, retry=retry, fallback="editor"
    )


def test_fallbacks_in_a_row_are_fine() -> None:
    agents = "  third: {model: fast}\n  editor: {model"
    policies = "{}\n  agents: {writer: {fallback: editor}, editor: {fallback: third}}"
    text = BASE.replace("  editor: {model", agents).replace("{timeout_s: 60}", policies)
    assert load(text).of_pattern.policies_of("editor").fallback == "third"


@pytest.mark.parametrize(
    ("bound", "kept", "broken"),
    [
        ("below", 1.9, 2.0),
        ("at_most", 2.0, 2.1),
        ("above", 2.1, 2.0),
        ("at_least", 2.0, 1.9),
    ],
)
def test_budget_holds_on_its_side_of_the_bound(bound: str, kept: float, broken: float) -> None:
    budget = load(BASE.replace("{at_least: 0.1}", f"{{{bound}: 2}}")).of_pattern.budgets[
        "success_rate"
    ]
    assert isinstance(budget, Budget)
    assert (budget.passes(kept), budget.passes(broken)) == (True, False)
    assert str(budget) == f"{bound.replace('_', ' ')} 2"


# -- YAML -------------------------------------------------------------------------------------------


def test_own_keys_win_over_merged_ones_and_the_first_merged_mapping_over_the_next() -> None:
    text = BASE.replace("  writer: {model", "  writer: &writer {system: w, model")
    text = text.replace(
        "  editor: {model: fast, output_tokens: 50, ",
        "  third: &third {system: t, accuracy: 0.5, model: fast}\n"
        "  editor: {<<: [*writer, *third], output_tokens: 7, ",
    )
    editor = load(text).of_pattern.agents["editor"]
    assert (editor.system, editor.accuracy, editor.output_tokens) == ("w", 0.5, Constant(7))
    assert editor.tools == ("search",)


def test_change_of_one_alias_leaves_the_others() -> None:
    text = BASE.replace("  writer: {model", "  writer: &writer {model")
    text = text.replace("  editor: {model: fast, output_tokens: 50, ", "  editor: {<<: *writer, ")
    agents = load(text, "agents.editor.output_tokens=9").of_pattern.agents
    assert agents["writer"].output_tokens == Constant(50)
    assert agents["editor"].output_tokens == Constant(9)


# -- changes by --set -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "same_as"),
    [
        ("seed=9", ("seed: 1", "seed: 9")),
        ("workload.tasks=9", ("tasks: 4", "tasks: 9")),
        ("faults[0].overloaded.probability=0.5", ("probability: 0.1", "probability: 0.5")),
        ("workload.kinds[0].input_tokens=7", ("input_tokens: 100", "input_tokens: 7")),
        ("pattern.pipeline.stages[1]=writer", ("[writer, editor]", "[writer, writer]")),
        ("pattern={single: {agent: editor}}", ("pipeline: {stages: [writer, editor]}", "single: {agent: editor}")),
        ("providers.anthropic.limits.requests_per_min=5", ("concurrency: 2", "concurrency: 2\n    limits: {requests_per_min: 5}")),
        ("policies.agents.writer.timeout_s=5", ("{timeout_s: 60}", "{timeout_s: 60}\n  agents: {writer: {timeout_s: 5}}")),
        ("description=a: b", None),
        ("description='a=b: c'", ("seed: 1", "seed: 1\ndescription: 'a=b: c'")),
        ("providers.anthropic.concurrency=", ("concurrency: 2", "concurrency:")),
        ("faults=[]", ("\n  - {overloaded: {agent: writer, probability: 0.1}}", " []")),
    ],
)  # fmt: skip
def test_change_is_as_if_it_stood_in_the_file(
    override: str, same_as: tuple[str, str] | None
) -> None:
    if same_as is None:  # a mapping is no description
        with pytest.raises(ScenarioError, match="must be a text, not a mapping"):
            load(BASE, override)
        return
    old, new = same_as
    assert old in BASE
    assert load(BASE, override).of_pattern == load(BASE.replace(old, new)).of_pattern


def test_later_change_of_the_same_value_wins() -> None:
    assert load(BASE, "seed=5", "seed=6").of_pattern.seed == 6


def test_change_mends_a_file_that_is_wrong_there() -> None:
    text = BASE.replace("tasks: 4", "tasks: four")
    with pytest.raises(ScenarioError):
        load(text)
    assert load(text, "workload.tasks=4").of_pattern == load(BASE).of_pattern


# -- paths ------------------------------------------------------------------------------------------


def test_paths_start_at_the_folder_of_the_scenario_wherever_one_stands(
    written: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("project/scenarios/data", "project/stubs", "elsewhere"):
        Path(folder).mkdir(parents=True)
    written("project/stubs/replies.yaml", "agents: {writer: {reply: here}}\n")
    written("project/scenarios/data/rows.csv", "at\n0\n")
    written("project/scenarios/data/sizes.csv", "7\n")
    text = BASE.replace(
        "writer: {model: fast,", "writer: {model: fast, stub: ../stubs/replies.yaml,"
    )
    text = text.replace("{every_s: 5}", "{trace: {file: data/rows.csv, time: at}}")
    written(
        "project/scenarios/s.yaml", text.replace(": 100}", ": {empirical: {file: data/sizes.csv}}}")
    )
    digests = set()
    for cwd, path in (
        (".", "project/scenarios/s.yaml"),
        ("project/scenarios", "s.yaml"),
        ("elsewhere", "../project/scenarios/s.yaml"),
        ("elsewhere", str(tmp_path / "project/scenarios/s.yaml")),
    ):
        monkeypatch.chdir(tmp_path / cwd)
        scenario = load_scenario(path)
        digests.add(scenario.digest)
        size = scenario.of_pattern.workload.kinds[0].input_tokens
        assert size is not None
        assert size.mean == 7
        assert scenario.scripts["writer"].lines[0].reply.text == "here"
    assert len(digests) == 1


def test_path_may_be_absolute_or_start_at_home(
    written: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("home").mkdir()
    Path("scenarios").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    written("home/replies.yaml", "agents: {writer: {reply: home}}\n")
    for stub in ("~/replies.yaml", str(tmp_path / "home/replies.yaml")):
        text = BASE.replace("writer: {model: fast,", f"writer: {{model: fast, stub: {stub},")
        written("scenarios/s.yaml", text)
        scenario = load_scenario("scenarios/s.yaml")
        assert scenario.scripts["writer"].lines[0].reply.text == "home"


# -- processes --------------------------------------------------------------------------------------


def test_loaded_scenario_can_be_sent_to_another_process(written: Write) -> None:
    written("rows.csv", "5\n6\n")
    written(STUB, "agents: {writer: {replies: [{text: a, tool_calls: [{tool: search}]}, b]}}")
    text = BASE.replace("writer: {model: fast,", f"writer: {{model: fast, stub: {STUB},")
    scenario = load(
        text.replace("input_tokens: 100", "input_tokens: {empirical: {file: rows.csv}}")
    )
    copy = pickle.loads(pickle.dumps(scenario))
    assert copy == scenario
    assert isinstance(copy, LoadedScenario)


def test_file_may_hold_as_many_values_as_are_written_in_it() -> None:
    from harness.scenario.yaml_file import MAX_VALUES, parse_yaml

    text = "[" + ",".join(["1"] * (MAX_VALUES + 1)) + "]"
    assert len(parse_yaml(text, FILE).data) == MAX_VALUES + 1


def test_base_is_read_as_yaml_says() -> None:
    """Our reader gives what PyYAML gives, and places besides."""
    from harness.scenario.yaml_file import parse_yaml

    assert parse_yaml(BASE, FILE).data == yaml.safe_load(BASE)
