"""Every format says the same, can be read by what reads it, and lets nothing through that somebody else wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness.gate import GateResult, Samples, gate
from harness.gate.output import as_annotations, as_json, as_junit, as_markdown, print_result
from harness.gate.output.markdown import escaped
from harness.gate.why import Explanation, Row
from harness.metrics import METRICS, Limit
from harness.metrics.limits import SHARES
from harness.run import BudgetResult
from harness.scenario import Budget

MakeSide = Callable[..., Samples]

P95, MEAN, COST, RATE = "latency_s_p95", "latency_s_mean", "cost_usd_mean", "success_rate"
BASE = [10.0, 12.0, 9.0, 11.0, 10.5, 13.0, 8.0, 10.0]
SLOWER = [12.6, 15.1, 11.3, 13.9, 13.1, 16.3, 10.0, 12.5]
NOISY = [20.0, 6.0, 9.0, 22.0, 5.0, 13.0, 16.0, 5.0]
NASTY = "<img src=x> |`*_[a](b)\n::error::%0A\x1b[31m\x00\u202e @all ]]> &amp; ```"
BUDGETS = [
    BudgetResult(P95, 12.0, Budget(below=60), passed=True),
    BudgetResult(COST, None, Budget(below=0.1), passed=False),
]


@pytest.fixture
def result(side: MakeSide) -> GateResult:
    """One regression with an explanation, one exact change, one unclear warning, one missing metric, budgets."""
    base = side(
        {P95: BASE, COST: [0.05] * 8, MEAN: BASE, "retries": [1.0] * 8, "calls_mean": [6.0] * 8},
        failed=[[]] * 8, label="main", reason=NASTY,
    )  # fmt: skip
    candidate = side(
        {P95: SLOWER, COST: [0.0505] * 8, MEAN: NOISY, "calls_mean": [7.0] * 8}, failed=[[]] * 8
    )
    limits = [
        Limit(P95, 0.1), Limit(COST, 0.05), Limit(MEAN, 0.2, "warn"), Limit("retries", 0.1),
        Limit(RATE, 0.01), Limit("quality_mean", 0.01),
    ]  # fmt: skip
    found = gate(base, candidate, limits, budgets=lambda: BUDGETS)
    return found.explained(
        {
            P95: Explanation(
                f"agent {NASTY} is slower", (Row("work", NASTY, "fast", 1.0, 3.0, 1.0),), 8
            )
        }
    )


def printed(result: GateResult, width: int = 80) -> str:
    out = Console(width=width, file=StringIO(), highlight=False)
    print_result(result, out)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def test_table_says_everything_in_80_columns(result: GateResult) -> None:
    text = printed(result)
    assert max(map(len, text.splitlines())) <= 80
    assert "review: baseline main against candidate, 8 seeds" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert rows[P95] == ["10.4", "s", "13.1", "s", "+25%", "+24.3..+26.7%", "+10%", "regressed"]
    assert rows[COST] == ["$0.0500", "$0.0505", "+1.0%", "exact", "+5%", "within", "limit"]
    assert rows["retries"] == ["1", "-", "-", "-", "+10%", "missing"]
    assert "inconclusive" in text
    assert "missing" in text
    assert "budget cost_usd_mean below 0.1: does not hold, not measured" in text
    assert any(line.split()[-5:] == ["fast", "1", "s", "3", "s"] for line in text.splitlines())
    assert text.rstrip().splitlines()[-2].startswith("FAIL.")


def test_table_keeps_its_width_with_every_metric_and_large_numbers(side: MakeSide) -> None:
    values = {
        name: [0.5, 0.6, 0.7] if name in SHARES else [98765.4, 87654.3, 91234.5] for name in METRICS
    }
    changed = {name: [0.9 * it for it in reversed(column)] for name, column in values.items()}
    limits = [Limit(name, 0.1, "warn") for name in METRICS]
    gated, explored = (
        printed(gate(side(values), side(changed), it)) for it in (limits, limits[:1])
    )
    assert max(map(len, [*gated.splitlines(), *explored.splitlines()])) <= 80
    for name in METRICS:
        assert name in gated


def test_control_characters_reach_no_terminal(result: GateResult) -> None:
    text = printed(result, 500)
    for char in ("\x1b", "\x00", "\u202e"):
        assert char not in text


def test_json_is_one_object_with_null_for_what_is_not_known(result: GateResult) -> None:
    found = json.loads(as_json(result))
    assert (found["verdict"], found["exit_code"], found["passed"]) == ("fail", 1, False)
    assert {name: it["status"] for name, it in found["metrics"].items()} == {
        P95: "regressed", COST: "within limit", MEAN: "inconclusive", "retries": "missing",
        RATE: "identical", "quality_mean": "not comparable",
    }  # fmt: skip
    assert found["metrics"][COST]["method"] == "exact"
    assert found["metrics"][COST]["change"] == pytest.approx(0.01)
    assert found["metrics"]["retries"]["candidate"] is None
    assert found["metrics"][P95]["why"][1].endswith("fast  1 s -> 3 s")
    assert found["not_gated"]["calls_mean"]["changed"] is True
    assert found["budgets"][1] == {
        "metric": COST, "value": None, "limit": {"below": 0.1}, "passed": False,
    }  # fmt: skip
    assert found["baseline"]["reason"] == NASTY
    assert found["baseline"]["seeds"] == list(range(1, 9))


def test_json_has_no_infinite_numbers(side: MakeSide) -> None:
    zeros = side({"retries": [0.0] * 8})
    found = gate(zeros, side({"retries": [1.0, 2.0] * 4}), [Limit("retries", 0.1)])
    assert found.verdict == "fail"
    assert json.loads(as_json(found))["metrics"]["retries"]["change"] is None
    assert "+∞" in printed(found)
    assert json.loads(as_json(gate(None, zeros, [Limit("retries", 0.1)])))["baseline"] is None


def test_markdown_has_a_row_for_each_metric_and_a_table_for_the_explanation(
    result: GateResult,
) -> None:
    text = as_markdown(result)
    assert text.startswith("### 🔴 Gate: fail\n")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == 6 + len([it for it in result.explored if it.changed])
    assert all(line.count("|") in (7, 8) for line in rows)
    assert (
        "| `latency_s_p95` | 10.4 s | 13.1 s | +25% | +24.3..+26.7% | +10% | 🔴 regressed |" in rows
    )
    assert "🟡 inconclusive (warn)" in text
    assert f"| work | {escaped(NASTY)} | fast | 1 s | 3 s |" in text


def test_markdown_lets_no_text_from_outside_mean_anything(result: GateResult) -> None:
    text = as_markdown(result)
    for dangerous in ("<img", "[a](b)", "@all", "\x1b", "::error"):
        assert dangerous not in text
    assert escaped("a|b`c") == "a&#124;b&#96;c"
    assert text.count("```") % 2 == 0


def test_markdown_stays_below_what_github_takes(result: GateResult) -> None:
    rows = (Row("work", "x" * 1000, "fast", 1.0, 3.0, 1.0),) * 2000
    text = as_markdown(result.explained({P95: Explanation("slow", rows)}))
    assert len(text.encode()) < 2**20
    assert text.endswith("The rest was cut off; it is in the log.\n")


def test_junit_has_a_case_for_each_metric_and_budget(result: GateResult) -> None:
    suite = ET.fromstring(as_junit(result)).find("testsuite")
    assert suite is not None
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "8", "failures": "3", "skipped": "2", "errors": "0",
    }  # fmt: skip
    outcome = {
        case.get("name"): next(iter(case)).tag if len(case) else ""
        for case in suite.iter("testcase")
    }
    assert outcome == {
        P95: "failure", COST: "system-out", MEAN: "skipped", "retries": "failure", RATE: "system-out",
        "quality_mean": "skipped", f"budget {P95}": "", f"budget {COST}": "failure",
    }  # fmt: skip
    failure = suite.find(f"testcase[@name='{P95}']/failure")
    assert failure is not None
    assert "fast  1 s -> 3 s" in (failure.text or "")


def test_junit_of_a_gate_that_compared_nothing_fails(side: MakeSide) -> None:
    result = gate(side({P95: BASE}, scenario="other"), side({P95: BASE}), [Limit(P95, 0.1)])
    failures = ET.fromstring(as_junit(result)).findall("testsuite/testcase[@name='gate']/failure")
    assert [it.get("message") for it in failures] == ["nothing to compare with"]


def test_annotations_are_escaped_as_github_reads_them(result: GateResult) -> None:
    lines = as_annotations(result, file="a,b:c%.yaml").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::error", "::warning"]
    assert lines[0].startswith(
        "::error file=a%2Cb%3Ac%25.yaml,title=harness gate%3A review::latency_s_p95: regressed, mean of seeds 10.4 s -> 13.1 s, +25%25 ("
    )
    assert "%0Aagent <img" in lines[0]
    assert "%250A" in lines[0]
    assert "a       3 s" not in lines[0]


def test_annotations_are_ten_at_most_and_errors_come_first(side: MakeSide) -> None:
    values = {name: BASE for name in METRICS if name not in SHARES}
    slower = dict.fromkeys(values, SLOWER)
    limits = [
        Limit(name, 0.1, "warn" if index < 5 else "error") for index, name in enumerate(values)
    ]
    lines = as_annotations(gate(side(values), side(slower), limits)).splitlines()
    assert len(lines) == 10
    assert [line.startswith("::error") for line in lines] == [True] * 9 + [False]
    assert lines[9].startswith("::warning title=harness gate%3A review::and ")


def test_gate_that_is_well_annotates_nothing(side: MakeSide) -> None:
    same = side({P95: BASE})
    assert as_annotations(gate(same, same, [Limit(P95, 0.1), Limit(COST, 0.1)])) == ""


@pytest.mark.parametrize("write", [printed, as_json, as_markdown, as_junit])
def test_first_run_says_what_to_do(side: MakeSide, write: Callable[[GateResult], str]) -> None:
    first = gate(None, side({P95: BASE}), [Limit(P95, 0.1)])
    assert first.is_first
    if write is not as_junit:
        assert "There is no baseline yet: save one, and commit it." in write(first)
    assert "nothing to compare with" in write(first).lower()
