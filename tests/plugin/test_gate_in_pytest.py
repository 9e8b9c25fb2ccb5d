"""`--sim-gate`: tests that are marked are compared with their baselines when the session ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.gate import in_pytest, read_baseline
from harness.gate.by_test import baseline_file
from harness.gate.quantiles import t_quantile

Project = Callable[..., pytest.RunResult]

UPDATE = ("--sim-gate=baselines", "--sim-gate-update")
GATE = ("--sim-gate=baselines",)

t_quantile(0.01, 3)  # what is loaded first in a session of pytester is taken away at its end
assert in_pytest.MARKER


def trip(
    latency_s: object = 2.0, tokens: int = 50, *, gate: str = "", sim: str = "", name: str = "trip"
) -> str:
    """A test of an agent that takes so long and says so much; a text is an expression in which `sim` is known."""
    return f"""
@pytest.mark.sim_gate({gate})
@pytest.mark.sim({sim})
def test_{name}(sim):
    sim.agent("planner", latency_s={latency_s}, output_tokens={tokens})
    sim.run(ask("a trip"))
"""


def section(result: pytest.RunResult) -> list[str]:
    """What is said of the gate, with single spaces."""
    start = next(
        n for n, line in enumerate(result.outlines) if re.match("=+ simulation gate =+", line)
    )
    lines = result.outlines[start + 1 :]
    end = next(n for n, line in enumerate(lines) if line.startswith("="))
    return [" ".join(line.split()) for line in lines[:end] if line]


def files(pytester: pytest.Pytester) -> list[str]:
    return sorted(path.name for path in (pytester.path / "baselines").iterdir())


def test_baselines_are_written_and_the_same_again_is_identical(
    project: Project, pytester: pytest.Pytester
) -> None:
    result = project(trip(), *UPDATE)
    assert result.ret == pytest.ExitCode.OK
    assert section(result) == [
        "written test_it.py::test_trip test_it.test_trip.json",
        "1 written",
    ]
    saved = read_baseline(pytester.path / "baselines" / "test_it.test_trip.json")
    assert (saved.scenario, saved.seeds) == ("test_it.py::test_trip", (1,))
    assert saved.runs[0].metrics == {
        "latency_s_mean": 2.0,
        "latency_s_p95": 2.0,
        "cost_usd_mean": saved.runs[0].metrics["cost_usd_mean"],
        "success_rate": 1.0,
    }
    again = project(trip(), *GATE)
    assert again.ret == pytest.ExitCode.OK
    assert section(again) == [
        "identical test_it.py::test_trip 1 seed: 4 metrics",
        "1 identical",
    ]


def test_slower_agent_fails_the_session_and_test_and_metric_are_named(project: Project) -> None:
    tests = trip() + trip(name="other")
    project(tests, *UPDATE)
    result = project(trip(3.0) + trip(name="other"), *GATE)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = section(result)
    mean, why, part, p95, *_ = lines[1:]
    assert lines[0] == "identical test_it.py::test_other 1 seed: 4 metrics"
    assert mean == (
        "regressed test_it.py::test_trip 1 seed: latency_s_mean: regressed, 2 s -> 3 s, +50% (exact), limit +20%"
    )
    assert why == (
        "planner takes 1 s longer on the critical path (+50 %), in 100 % of runs; "
        "service time a reply from 2 s to 3 s."
    )
    assert part == "work planner claude-sonnet-5 2 s -> 3 s"
    assert p95 == "latency_s_p95: regressed, 2 s -> 3 s, +50% (exact), limit +20%"
    assert lines[-2:] == [
        "1 identical, 1 regressed",
        "If a change is wanted: pytest --sim-gate baselines --sim-gate-update --sim-gate-reason TEXT",
    ]


def test_dearer_agent_fails_the_session(project: Project) -> None:
    project(trip(), *UPDATE)
    result = project(trip(tokens=55), *GATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result)[0].startswith(
        "regressed test_it.py::test_trip 1 seed: cost_usd_mean: regressed, $"
    )


@pytest.mark.parametrize(
    ("gate", "latency_s", "status"),
    [
        ("", 2.3, "within limit"),
        ("", 1.0, "improved"),
        ("latency_s_mean='10%'", 2.3, "regressed"),
        ("latency_s_mean='10%:warn'", 2.3, "regressed (warn)"),
        ("latency_s_mean='60%', latency_s_p95='ignore'", 3.0, "within limit"),
        ("retries='0%'", 2.0, "identical"),
    ],
)
def test_marker_states_the_limits_over_the_defaults(
    project: Project, gate: str, latency_s: float, status: str
) -> None:
    project(trip(gate=gate), *UPDATE)
    result = project(trip(latency_s, gate=gate), *GATE)
    assert section(result)[0].startswith(f"{status} test_it.py::test_trip 1 seed: ")
    assert result.ret == (status == "regressed")


def test_nearest_marker_decides_each_metric_alone(project: Project) -> None:
    head = "pytestmark = pytest.mark.sim_gate(latency_s_mean='60%', latency_s_p95='60%')\n"
    project(head + trip(), *UPDATE)
    assert project(head + trip(3.0), *GATE).ret == pytest.ExitCode.OK
    result = project(head + trip(3.0, gate="latency_s_p95='ignore', latency_s_mean='1%'"), *GATE)
    lines = section(result)
    assert lines[0] == (
        "regressed test_it.py::test_trip 1 seed: latency_s_mean: regressed, 2 s -> 3 s, +50% (exact), limit +1%"
    )
    assert not [line for line in lines if line.startswith("latency_s_p95")]


# -- several seeds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "jobs",
    [
        [],
        ["-p", "xdist", "-n", "0"],
        pytest.param(["-p", "xdist", "-n", "2"], marks=pytest.mark.slow),
    ],
    ids=["alone", "n 0", "n 2"],
)
def test_all_seeds_of_a_test_are_one_comparison(
    project: Project, pytester: pytest.Pytester, jobs: list[str]
) -> None:
    tests = trip("2.0 + sim.seed / 8", sim="runs=8")
    assert project(tests, *UPDATE).ret == pytest.ExitCode.OK
    assert files(pytester) == ["test_it.test_trip.json"]
    assert read_baseline(pytester.path / "baselines/test_it.test_trip.json").seeds == tuple(
        range(1, 9)
    )
    result = project(trip("(2.0 + sim.seed / 8) * 1.5", sim="runs=8"), *GATE, *jobs)
    result.assert_outcomes(passed=8)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result)[0] == (
        "regressed test_it.py::test_trip 8 seeds: "
        "latency_s_mean: regressed, mean of seeds 2.56 s -> 3.84 s, +50% (exact), limit +20%"
    )
    same = project(tests, *GATE)
    assert same.ret == pytest.ExitCode.OK
    assert section(same)[0] == "identical test_it.py::test_trip 8 seeds: 4 metrics"


def test_seeds_that_disagree_are_inconclusive_and_that_is_no_pass(project: Project) -> None:
    project(trip(sim="runs=3"), *UPDATE)
    result = project(trip("{1: 1.0, 2: 2.5, 3: 3.5}[sim.seed]", sim="runs=3"), *GATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = section(result)
    assert lines[0].startswith("inconclusive test_it.py::test_trip 3 seeds: latency_s_mean:")
    assert lines[-1] == "To decide what is inconclusive, run more seeds: @pytest.mark.sim(runs=16)"


def test_one_seed_of_several_is_compared_with_the_same_of_the_baseline(project: Project) -> None:
    project(trip("float(sim.seed)", sim="runs=4"), *UPDATE)
    result = project(trip("2.0 * sim.seed", sim="runs=4"), *GATE, "--sim-seed=3")
    assert section(result)[0] == (
        "regressed test_it.py::test_trip 1 seed: latency_s_mean: regressed, 3 s -> 6 s, +100% (exact), limit +20%"
    )
    assert "Left out, as only one side has them: 3 runs." in section(result)
    none = project(trip("float(sim.seed)", sim="runs=4"), *GATE, "--sim-seed=9")
    assert none.ret == pytest.ExitCode.TESTS_FAILED
    assert section(none)[0].startswith("inconclusive test_it.py::test_trip 1 seed")


def test_baseline_is_not_written_from_a_part_of_the_seeds(
    project: Project, pytester: pytest.Pytester
) -> None:
    some = [f"test_it.py::test_trip[seed={seed}]" for seed in (1, 2)]
    result = project(trip(sim="runs=4"), *UPDATE, *some)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result)[0] == (
        "not written test_it.py::test_trip only 2 of its 4 seeds were run"
    )
    assert not (pytester.path / "baselines").exists()


def test_runs_of_one_test_count_together(project: Project, pytester: pytest.Pytester) -> None:
    tests = """
@pytest.mark.sim_gate(calls_mean="0%")
def test_trips(sim):
    sim.agent("planner", latency_s=2.0)
    sim.run(ask("a trip"))
    sim.agent("guide", system="*guide*", latency_s=4.0)
    sim.run(trip)
    with pytest.raises(ValueError):
        sim.run(lambda: int("x"))

@pytest.mark.sim_gate
async def test_async(sim):
    await trip()
"""
    assert project(tests, *UPDATE).ret == pytest.ExitCode.OK
    (run,) = read_baseline(pytester.path / "baselines/test_it.test_trips.json").runs
    assert (run.tasks, run.failed) == (3, (3,))
    assert run.metrics["success_rate"] == 2 / 3
    assert run.metrics["calls_mean"] == 4 / 3
    assert section(project(tests, *GATE))[-1] == "2 identical"


# -- baselines that are not there, or wrong ---------------------------------------------------------------------------


def test_test_without_a_baseline_is_new_and_fails_only_in_strict_mode(project: Project) -> None:
    project(trip(), *UPDATE)
    both = trip() + trip(name="fresh")
    result = project(both, *GATE)
    assert result.ret == pytest.ExitCode.OK
    assert section(result) == [
        "new test_it.py::test_fresh there is no test_it.test_fresh.json",
        "identical test_it.py::test_trip 1 seed: 4 metrics",
        "1 new, 1 identical",
        "To save a first baseline: pytest --sim-gate baselines --sim-gate-update",
    ]
    assert project(both, *GATE, "--sim-gate-strict").ret == pytest.ExitCode.TESTS_FAILED


def test_gate_that_compared_nothing_fails(project: Project) -> None:
    plain = "def test_plain(sim):\n    sim.run(ask('a trip'))\n"
    none = project(plain, *GATE)
    none.assert_outcomes(passed=1)
    assert none.ret == pytest.ExitCode.TESTS_FAILED
    assert section(none) == [
        "Nothing was compared: no test that ran uses `sim` and is marked `sim_gate`."
    ]
    nowhere = project(trip(), *GATE)
    assert nowhere.ret == pytest.ExitCode.TESTS_FAILED
    assert "Nothing was compared: no test that ran has a baseline in baselines." in section(nowhere)
    skipped = project(trip().replace("    sim.run", "    pytest.skip()\n    sim.run"), *GATE)
    assert skipped.ret == pytest.ExitCode.TESTS_FAILED
    assert section(skipped) == [
        "not compared test_it.py::test_trip the test was skipped",
        "Nothing was compared.",
    ]
    assert project("", *GATE).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert project(trip(), *GATE, "--collect-only").ret == pytest.ExitCode.OK


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _of_other_test(text: str) -> str:
    return text.replace("::test_trip", "::test_x")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_cut, "is not JSON; it may be cut off"),
        (lambda _: "[]", "not a baseline of harness"),
        (lambda text: text.replace('"seed": 1', '"seed": -1'), "is damaged"),
        (_of_other_test, "2 s -> 2 s; other scenario: test_it.py::test_x against"),
    ],
)
def test_baseline_that_is_wrong_fails_and_says_what_to_do(
    project: Project, pytester: pytest.Pytester, damage: Callable[[str], str], words: str
) -> None:
    project(trip(), *UPDATE)
    file = pytester.path / "baselines" / "test_it.test_trip.json"
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    result = project(trip(), *GATE)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert words in "\n".join(section(result))
    if damage is not _of_other_test:
        assert "restore the file from git" in section(result)[1]
        assert project(trip(), *UPDATE).ret == pytest.ExitCode.TESTS_FAILED


def test_other_prices_make_money_incomparable(project: Project, pytester: pytest.Pytester) -> None:
    project(trip(), *UPDATE)
    file = pytester.path / "baselines" / "test_it.test_trip.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**said, "prices_as_of": "2020-01-01"}), encoding="utf-8")
    result = project(trip(), *GATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "cost_usd_mean: not comparable" in section(result)[0]


def test_change_is_accepted_with_a_reason_and_what_is_the_same_is_not_written(
    project: Project, pytester: pytest.Pytester
) -> None:
    tests = trip() + trip(name="other")
    project(tests, *UPDATE)
    slower = trip(3.0) + trip(name="other")
    refused = project(slower, *UPDATE)
    assert refused.ret == pytest.ExitCode.TESTS_FAILED
    assert section(refused) == [
        "unchanged test_it.py::test_other test_it.test_other.json",
        "not written test_it.py::test_trip its numbers changed: state the reason, with --sim-gate-reason TEXT",
        "1 unchanged, 1 not written",
    ]
    other = pytester.path / "baselines" / "test_it.test_other.json"
    before = other.read_bytes()
    accepted = project(slower, *UPDATE, "--sim-gate-reason", "a better model")
    assert accepted.ret == pytest.ExitCode.OK
    assert other.read_bytes() == before
    saved = read_baseline(pytester.path / "baselines" / "test_it.test_trip.json")
    assert saved.reason == "a better model"
    assert project(slower, *GATE).ret == pytest.ExitCode.OK


def test_test_that_fails_is_neither_compared_nor_written(
    project: Project, pytester: pytest.Pytester
) -> None:
    tests = trip() + trip(name="other", sim="runs=2")
    broken = tests.replace("    sim.run", "    assert sim.seed == 1\n    sim.run")
    result = project(broken, *UPDATE)
    result.assert_outcomes(passed=2, failed=1)
    assert section(result)[0] == "not written test_it.py::test_other 1 of its 2 runs failed"
    assert files(pytester) == ["test_it.test_trip.json"]
    project(tests, *UPDATE)
    assert section(project(broken, *GATE))[0] == (
        "not compared test_it.py::test_other 1 of its 2 runs failed"
    )


def test_expected_failure_is_not_compared(project: Project) -> None:
    tests = trip() + trip(name="other").replace(
        "@pytest.mark.sim(", "@pytest.mark.xfail(strict=False)\n@pytest.mark.sim("
    )
    result = project(tests, *UPDATE)
    result.assert_outcomes(passed=1, xpassed=1)
    assert result.ret == pytest.ExitCode.OK
    assert section(result)[0] == "not written test_it.py::test_other the test was skipped"


# -- names ------------------------------------------------------------------------------------------------------------


def test_tests_of_every_kind_have_a_file_of_their_own(
    project: Project, pytester: pytest.Pytester
) -> None:
    tests = """
pytestmark = [pytest.mark.sim_gate, pytest.mark.sim(runs=2)]

class TestIt:
    @pytest.mark.parametrize("city", ["Ulm", "a b", "a/b"])
    async def test_city(self, sim, city):
        await ask(city)

def test_plain():
    pass
"""
    project(tests, *UPDATE).assert_outcomes(passed=7)
    names = files(pytester)
    assert [re.sub("-[0-9a-f]{8}.json", "-HASH.json", name) for name in names] == [
        "test_it.TestIt.test_city-Ulm--HASH.json",
        "test_it.TestIt.test_city-a-b--HASH.json",
        "test_it.TestIt.test_city-a.b--HASH.json",
    ]
    assert section(project(tests, *GATE))[-1] == "3 identical"


def test_file_names_are_safe_and_different() -> None:
    folder = Path("baselines")
    assert (
        baseline_file(folder, "tests/a/test_x.py::TestY::test_z").as_posix()
        == "baselines/tests.a.test_x.TestY.test_z.json"
    )
    odd = [f"test_x.py::test_z[{part}]" for part in ("../../etc", "a b", "a-b", "ü", "x" * 500, "")]
    found = [baseline_file(folder, name) for name in odd]
    assert len(set(found)) == len(odd)
    assert all(file.parent == folder and len(file.name) < 200 for file in found)


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("'10%'", "takes limits by name, such as latency_s_mean=\"10%\", not ('10%',)"),
        ("latency_mean='10%'", "there is no metric 'latency_mean'; did you mean 'latency_s_mean'?"),
        ("latency_s_mean=10", 'latency_s_mean=10 is not a limit; write it as latency_s_mean="10%"'),
        ("latency_s_mean='10'", "'10' is not a limit; write it as NAME=CHANGE"),
        ("success_rate='1%'", "changes of success_rate are stated in points, such as 1pt"),
        (
            "latency_s_mean='ignore', latency_s_p95='ignore', cost_usd_mean='ignore', success_rate='ignore'",
            "no metric is gated",
        ),
    ],
)
def test_wrong_marker_is_an_error_that_names_the_test(
    project: Project, gate: str, words: str
) -> None:
    result = project(trip(gate=gate), *GATE)
    assert result.ret != pytest.ExitCode.OK
    output = result.stdout.str() + result.stderr.str()
    assert words in output
    assert "test_it.py::test_trip: the marker `sim_gate`" in output
    assert "INTERNALERROR" not in output


def test_marker_on_a_test_without_sim_is_an_error(project: Project) -> None:
    result = project("@pytest.mark.sim_gate\ndef test_it():\n    pass\n")
    result.assert_outcomes(errors=1)
    assert "the marker `sim_gate` is for tests that use `sim`" in result.stdout.str()


def test_options_that_do_not_go_together_are_usage_errors(
    project: Project, pytester: pytest.Pytester
) -> None:
    alone = project(trip(), "--sim-gate-update")
    assert alone.ret == pytest.ExitCode.USAGE_ERROR
    assert "--sim-gate-update needs --sim-gate DIR" in alone.stderr.str()
    (pytester.path / "file").write_text("", encoding="utf-8")
    assert project(trip(), "--sim-gate=file").ret == pytest.ExitCode.USAGE_ERROR


def test_without_the_option_nothing_is_compared_or_written(
    project: Project, pytester: pytest.Pytester
) -> None:
    result = project(trip())
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*simulation gate*")
    assert not (pytester.path / "baselines").exists()


def test_baseline_of_an_older_harness_is_completed_without_a_reason(
    project: Project, pytester: pytest.Pytester
) -> None:
    project(trip(), *UPDATE)
    file = pytester.path / "baselines" / "test_it.test_trip.json"
    data = json.loads(file.read_text())
    whole = data["runs"][0].pop("kept")
    file.write_text(json.dumps(data))
    assert (
        section(project(trip(3.0), *GATE))[1]
        == "latency_s_p95: regressed, 2 s -> 3 s, +50% (exact), limit +20%"
    )
    assert section(project(trip(), *UPDATE))[0].startswith("written ")
    assert json.loads(file.read_text())["runs"][0]["kept"] == whole
    assert section(project(trip(), *UPDATE))[0].startswith("unchanged ")
