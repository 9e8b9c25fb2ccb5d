"""The marker and the options: seeds, runs, a scenario file, a store; and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.store import Store, queries

Project = Callable[..., pytest.RunResult]

SHOW = """
def test_it(sim):
    sim.run(ask("a trip"))
    print("\\nseed", sim.seed)
"""


def seeds_in(result: pytest.RunResult) -> list[int]:
    return [int(line.split()[-1]) for line in result.outlines if line.startswith("seed ")]


@pytest.mark.parametrize(
    ("marker", "options", "seeds"),
    [
        ("", [], [1]),
        ("seed=5", [], [5]),
        ("runs=3", [], [1, 2, 3]),
        ("seed=5, runs=2", [], [5, 6]),
        ("seed=0", [], [0]),
        ("", ["--sim-seed", "7"], [7]),
        ("seed=5, runs=2", ["--sim-seed", "7"], [7]),
        ("", ["--sim-runs", "2"], [1, 2]),
        ("seed=5, runs=3", ["--sim-runs", "2"], [5, 6]),
        ("seed=5, runs=3", ["--sim-seed", "7", "--sim-runs", "2"], [7, 8]),
    ],
)
def test_seeds(project: Project, marker: str, options: list[str], seeds: list[int]) -> None:
    result = project(f"@pytest.mark.sim({marker}){SHOW}", "-s", *options)
    result.assert_outcomes(passed=len(seeds))
    assert seeds_in(result) == seeds


def test_nearest_marker_decides_each_word_alone(project: Project) -> None:
    tests = """
pytestmark = pytest.mark.sim(seed=3, runs=2)

@pytest.mark.sim(seed=8)
class TestIt:
    def test_class(self, sim):
        sim.run(ask("a trip"))
        print("\\nseed", sim.seed)

    @pytest.mark.sim(runs=1)
    def test_method(self, sim):
        sim.run(ask("a trip"))
        print("\\nseed", sim.seed)
"""
    assert seeds_in(project(tests, "-s")) == [8, 9, 8]


def test_names_of_tests_hold_their_seed_only_if_there_are_several(project: Project) -> None:
    tests = """
@pytest.mark.sim(runs=2)
def test_many(sim):
    sim.run(ask("a trip"))

def test_one(sim):
    sim.run(ask("a trip"))
"""
    result = project(tests, "-v")
    result.stdout.fnmatch_lines(
        ["*::test_many?seed=1? PASSED*", "*::test_many?seed=2? PASSED*", "*::test_one PASSED*"]
    )


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (
            "5",
            "the marker `sim` takes seed=, runs=, scenario=, horizon_s=, calls_per_task=, repeats_per_task=, order=, allow_unmatched=, keep_texts= and cassette=, not (5,)",
        ),
        (
            "sed=5",
            "the marker `sim` takes seed=, runs=, scenario=, horizon_s=, calls_per_task=, repeats_per_task=, order=, allow_unmatched=, keep_texts= and cassette=, not {'sed': 5}",
        ),
        ("runs=0", "seeds are whole numbers from 0, and there is at least one run"),
        ("seed=-1", "seeds are whole numbers from 0, and there is at least one run"),
        ("seed='x'", "seeds are whole numbers from 0, and there is at least one run"),
        ("runs=1.5", "seeds are whole numbers from 0, and there is at least one run"),
    ],
)
def test_wrong_marker_is_a_usage_error_that_names_the_test(
    project: Project, marker: str, words: str
) -> None:
    result = project(f"@pytest.mark.sim({marker}){SHOW}")
    assert result.ret != pytest.ExitCode.OK
    output = result.stdout.str() + result.stderr.str()
    assert f"test_it.py::test_it: {words}" in output
    assert "INTERNALERROR" not in output
    assert "Error:" not in output  # nor frames, ours or pytest's
    assert len(result.outlines) < 20


@pytest.mark.parametrize("option", ["--sim-seed=x", "--sim-runs=many"])
def test_option_that_is_no_number_is_a_usage_error(project: Project, option: str) -> None:
    result = project(SHOW, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR


# -- a scenario file --------------------------------------------------------------------------------------------------

SCENARIO = """
scenario: trip
target: app:trip
workload: {tasks: 1, arrivals: {at_s: [0]}}
providers:
  anthropic: {concurrency: 1}
models:
  deep: {provider: anthropic, name: claude-sonnet-5, latency: {ttft_s: 3}, prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
agents:
  planner: {match: {system: "*planner*"}, output_tokens: 100}
  guide: {match: {system: "*guide*"}, output_tokens: 50}
faults:
  - {overloaded: {agent: planner, attempt: 1}}
"""


def test_scenario_file_beside_the_test_says_who_is_there(
    project: Project, pytester: pytest.Pytester
) -> None:
    pytester.makefile(".yaml", trip=SCENARIO)
    tests = """
@pytest.mark.sim(scenario="trip.yaml")
def test_it(sim):
    run = sim.run(trip)
    assert run.agents == ["planner", "guide"]
    assert (run.retries, run.output_tokens) == (1, 200)
    planner, first, second = run.calls()
    assert (round(first.latency_s, 9), round(second.latency_s, 9)) == (3.0, 6.0)
    assert planner.model == "deep"

@pytest.mark.sim(scenario="trip.yaml")
async def test_more_may_be_said(sim):
    sim.agent("critic", system="*critic*", reply="so so")
    assert await ask("x", system="You are a critic.") == "so so"
    assert await trip()
"""
    project(tests).assert_outcomes(passed=2)


def test_faults_of_a_scenario_file_must_meet_something_too(
    project: Project, pytester: pytest.Pytester
) -> None:
    pytester.makefile(".yaml", trip=SCENARIO)
    tests = """
@pytest.mark.sim(scenario="trip.yaml", allow_unmatched=True)
def test_it(sim):
    sim.run(ask("a trip"))
"""
    result = project(tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*fault 1 (overloaded) never met an attempt"])


def test_scenario_file_that_is_not_there_or_wrong_is_told(
    project: Project, pytester: pytest.Pytester
) -> None:
    pytester.makefile(".yaml", wrong=SCENARIO.replace("concurrency", "concurency"))
    tests = """
@pytest.mark.sim(scenario="missing.yaml")
def test_missing(sim): pass

@pytest.mark.sim(scenario="wrong.yaml")
def test_wrong(sim): pass
"""
    result = project(tests)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*missing.yaml*"])
    result.stdout.fnmatch_lines(["*wrong.yaml:5:15: providers.anthropic: unknown key *concurency*"])


# -- a store ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "jobs",
    [[], pytest.param(["-p", "xdist", "-n", "2"], marks=pytest.mark.slow)],
    ids=["one process", "two processes"],
)
def test_store_holds_every_run(
    project: Project, pytester: pytest.Pytester, jobs: list[str]
) -> None:
    tests = """
@pytest.mark.sim(runs=2)
def test_many(sim):
    sim.agent("planner", latency_s=2.0)
    sim.run(ask("a trip"))

def test_fails(sim):
    sim.run(ask("a trip"))
    sim.run(ask("another trip"))
    assert False

async def test_raises(sim):
    await ask("a trip")
    raise ValueError

def test_plain(): pass
"""
    result = project(tests, "--sim-store", "runs.duckdb", *jobs)
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(["*To replay: pytest test_it.py::test_fails --sim-seed 1"])
    store = Store(pytester.path / "runs.duckdb")
    found = sorted(queries.runs(store), key=lambda run: (run["scenario"], run["seed"]))
    assert [(run["scenario"], run["seed"]) for run in found] == [
        ("test_it.py::test_fails", 1),
        ("test_it.py::test_fails", 1),
        ("test_it.py::test_many[seed=1]", 1),
        ("test_it.py::test_many[seed=2]", 2),
        ("test_it.py::test_raises", 1),
    ]
    assert found[2]["metrics"]["calls_mean"] == 1
    assert found[2]["metrics"]["latency_s_mean"] == 2.0
    assert found[3]["command"] == "pytest test_it.py::test_many --sim-seed 2"
    spans = queries.spans(store, found[2]["run_id"])
    assert [span["kind"] for span in spans] == ["task", "call", "attempt"]


def test_without_the_option_nothing_is_written(project: Project, pytester: pytest.Pytester) -> None:
    project(SHOW).assert_outcomes(passed=1)
    assert not list(pytester.path.glob("**/*.duckdb"))


def test_keys_are_there_from_the_beginning_if_the_project_wants_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    pytester.makepyfile(
        """
        import openai

        client = openai.AsyncOpenAI()

        async def ask():
            chat = await client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": "hi"}]
            )
            return chat.choices[0].message.content

        def test_ask(sim):
            assert sim.run(ask).output == "gpt-5 has done its part"
        """
    )
    assert pytester.runpytest_subprocess().ret != 0
    pytester.makeini("[pytest]\nsim_keys = true\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_hosts_that_were_refused_are_listed_at_the_end(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx2

        async def phone_home():
            try:
                async with httpx2.AsyncClient() as client:
                    await client.get("https://telemetry.example.com/x")
            except httpx2.ConnectError:
                return "silent"

        def test_it(sim):
            assert sim.run(phone_home).output == "silent"
        """
    )
    for more in ((), ("-n", "1")):
        result = pytester.runpytest_subprocess(*more)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(
            ["telemetry.example.com: refused in 1 test, because nobody simulates it"]
        )


UNMATCHED = """
def test_it(sim):
    sim.agent("critic", system="*critic*", allow_unused=True)
    assert sim.run(ask, "a trip").agents == ["unmatched:claude-sonnet-5"]
"""


def test_call_of_no_described_agent_fails_the_test(project: Project) -> None:
    result = project(UNMATCHED)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*HarnessError: no described agent matches this call"])


@pytest.mark.parametrize("by", ["marker", "ini"])
def test_calls_of_no_described_agent_may_be_allowed(
    project: Project, pytester: pytest.Pytester, by: str
) -> None:
    if by == "ini":
        pytester.makeini("[pytest]\nsim_allow_unmatched = true\n")
    marker = "@pytest.mark.sim(allow_unmatched=True)" if by == "marker" else ""
    project(marker + UNMATCHED).assert_outcomes(passed=1)


TEXTS = """
@pytest.mark.sim(keep_texts=True)
def test_marked(sim):
    sim.run(ask("my password is hunter2"))

def test_plain(sim):
    sim.run(ask("a trip"))
"""


@pytest.mark.parametrize(("options", "kept"), [([], 1), (["--sim-keep-texts"], 2)])
def test_store_keeps_texts_of_tests_that_ask_for_it(
    project: Project, pytester: pytest.Pytester, options: list[str], kept: int
) -> None:
    project(TEXTS, "--sim-store", "runs.duckdb", *options).assert_outcomes(passed=2)
    store = Store(pytester.path / "runs.duckdb")
    found = [queries.texts(store, run_id, task=1) for run_id in (1, 2)]
    assert [len(texts) for texts in found if texts] == [1] * kept
    (texts,) = found[0].values()
    assert texts["prompt"] == "[user]\nmy password is [secret]"
    assert texts["reply"]


def test_texts_without_a_store_are_refused(project: Project) -> None:
    result = project(TEXTS, "--sim-keep-texts")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--sim-keep-texts needs --sim-store FILE*"])
