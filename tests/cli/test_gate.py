"""`harness gate` and `harness baseline` as they are typed: files, commits, formats, exit codes."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from harness.cli import run

SCENARIO = """
scenario: desk
workload: {tasks: 12, arrivals: {every_s: 20}}
providers: {anthropic: {}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents:
  quick: {model: fast, system_tokens: 100, output_tokens: {lognormal: {median: 60, sigma: 0.3}}}
  slow: {model: fast, system_tokens: 100, output_tokens: {lognormal: {median: 600, sigma: 0.2}}}
  lead: {model: fast, system_tokens: 100, output_tokens: 50}
pattern: {orchestrator_worker: {orchestrator: lead, workers: [quick, slow], synthesizer: lead}}
"""


def git(*words: str) -> None:
    identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "-c",
        "init.defaultBranch=main",
    ]
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


def write(text: str) -> None:
    Path("desk.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def _desk() -> None:
    write(SCENARIO)


@pytest.fixture
def repository() -> None:
    """The scenario, committed on `main`, and a branch for changes."""
    git("init")
    git("add", "desk.yaml")
    git("commit", "-m", "first")
    git("checkout", "-b", "change")


def slower(agent: str, tokens: int, other: int) -> str:
    return SCENARIO.replace(f"{agent}: {{model: fast, system_tokens: 100, output_tokens: {{lognormal: {{median: {tokens}",
                            f"{agent}: {{model: fast, system_tokens: 100, output_tokens: {{lognormal: {{median: {other}")  # fmt: skip


# -- against a commit ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("repository")
def test_slower_branch_fails_with_the_agent_named_and_passes_when_reverted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(slower("slow", 600, 1000))
    git("commit", "-am", "a longer prompt")
    assert run(["gate", "desk.yaml", "--base", "main"]) == 1
    told = capsys.readouterr().out
    assert "latency_s_mean" in told
    assert "regressed" in told
    assert "slow takes" in told
    assert "FAIL" in told
    git("revert", "--no-edit", "HEAD")
    assert run(["gate", "desk.yaml", "--base", "main"]) == 0
    told = capsys.readouterr().out
    assert told.count("identical") == 4
    assert (
        subprocess.run(["git", "worktree", "list"], capture_output=True, check=True).stdout.count(
            b"\n"
        )
        == 1
    )


@pytest.mark.usefixtures("repository")
def test_what_is_not_committed_is_the_candidate(capsys: pytest.CaptureFixture[str]) -> None:
    write(slower("slow", 600, 1000))
    assert run(["gate", "desk.yaml", "--base", "HEAD", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["latency_s_mean"]["status"] == "regressed"


@pytest.mark.usefixtures("repository")
def test_an_agent_beside_the_critical_path_may_be_slower(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(slower("quick", 60, 90))
    options = ["--limit", "cost_usd_mean=20%", "--format", "json"]
    assert run(["gate", "desk.yaml", "--base", "main", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "pass"
    assert told["metrics"]["latency_s_mean"]["status"] in ("identical", "within limit")


@pytest.mark.usefixtures("repository")
def test_an_agent_that_nobody_calls_and_a_text_change_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = "agents:\n  idle: {model: fast}\n"
    write("description: a better text\n" + SCENARIO.replace("agents:\n", more))
    assert run(["gate", "desk.yaml", "--base", "main"]) == 0
    assert capsys.readouterr().out.count("identical") == 4


@pytest.mark.usefixtures("repository")
def test_two_versions_of_a_program_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    program = """
import anthropic, asyncio

async def ask(text):
    message = await anthropic.AsyncAnthropic().messages.create(
        model="claude-haiku-4-5", max_tokens=500, system="You are a worker.",
        messages=[{"role": "user", "content": text}])
    return message.content[0].text

async def main(question):
    return await asyncio.gather(*(ask(f"{question} {n}") for n in range(4)))
"""
    target = "scenario: desk\nworkload: {tasks: 4}\ntarget: desk_program:main\n"
    Path("desk_program.py").write_text(program, encoding="utf-8")
    write(target + "agents: {worker: {match: {system: '*worker*'}, output_tokens: 100}}\n")
    git("add", ".")
    git("commit", "-m", "a program")
    loop = "return [await ask(f'{question} {n}') for n in range(4)]"
    gather = 'return await asyncio.gather(*(ask(f"{question} {n}") for n in range(4)))'
    Path("desk_program.py").write_text(program.replace(gather, loop), encoding="utf-8")
    assert run(["gate", "desk.yaml", "--base", "HEAD"]) == 1
    told = capsys.readouterr().out
    assert "became serial" in told


@pytest.mark.usefixtures("repository")
def test_a_change_of_a_module_that_the_program_imports_is_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("src/team").mkdir(parents=True)
    Path("scenarios").mkdir()
    Path("src/team/__init__.py").write_text("from .work import main", encoding="utf-8")
    work = Path("src/team/work.py")
    work.write_text(
        "import asyncio\nfrom team.limits import WAIT_S\nasync def main(): await asyncio.sleep(WAIT_S)",
        encoding="utf-8",
    )
    Path("src/team/limits.py").write_text("WAIT_S = 1", encoding="utf-8")
    Path("scenarios/team.yaml").write_text(
        "scenario: team\nworkload: {tasks: 4}\ntarget: team:main\n", encoding="utf-8"
    )
    git("add", ".")
    git("commit", "-m", "a package")
    gate = ["gate", "scenarios/team.yaml", "--base", "HEAD", "--runs", "4"]
    assert run(gate) == 0
    Path("src/team/limits.py").write_text("WAIT_S = 2.5", encoding="utf-8")
    capsys.readouterr()
    assert run(gate) == 1
    assert "latency_s_mean" in capsys.readouterr().out


@pytest.mark.usefixtures("repository")
def test_two_versions_of_which_neither_works_do_not_pass(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("broken.py").write_text("def main(): raise KeyError", encoding="utf-8")
    write("scenario: desk\nworkload: {tasks: 4}\ntarget: broken:main\n")
    git("add", ".")
    git("commit", "-m", "a mistake")
    assert run(["gate", "desk.yaml", "--base", "HEAD", "--runs", "4"]) == 1
    assert "budget success_rate above 0" in capsys.readouterr().out


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=x", "HEAD~99"])
def test_a_commit_that_is_not_there_is_told(ref: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gate", "desk.yaml", f"--base={ref}"]) == 2
    assert f"there is no commit {ref!r}" in capsys.readouterr().err


def test_outside_of_git_a_baseline_file_is_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gate", "desk.yaml", "--base", "main"]) == 2
    assert "in no git repository" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_a_scenario_that_the_base_does_not_have_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.yaml").write_text(SCENARIO, encoding="utf-8")
    assert run(["gate", "other.yaml", "--base", "main"]) == 2
    assert "main" in capsys.readouterr().err


# -- against a file -----------------------------------------------------------------------------------------------


def saved(*more: str) -> int:
    return run(["baseline", "save", "desk.yaml", "-o", "b/desk.json", "--runs", "8", *more])


def test_a_baseline_is_saved_shown_kept_and_replaced_with_a_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert saved() == 0
    assert saved() == 2
    assert "--reason TEXT" in capsys.readouterr().err
    assert saved("--reason", "the new prompt is wanted") == 0
    assert run(["baseline", "show", "b/desk.json"]) == 0
    told = capsys.readouterr().out
    assert "the new prompt is wanted" in told
    assert "seeds 1 to 8" in told
    assert run(["gate", "desk.yaml", "--baseline", "b/desk.json"]) == 0
    assert capsys.readouterr().out.count("identical") == 4
    write(slower("slow", 600, 1000))
    assert run(["gate", "desk.yaml", "--baseline", "b/desk.json"]) == 1
    assert run(["gate", "desk.yaml", "--baseline", "b/desk.json", "--limit", "cost_usd_mean=ignore",
                "--limit", "latency_s_mean=200%", "--limit", "latency_s_p95=200%"]) == 0  # fmt: skip


def test_first_run_passes_with_a_note_and_fails_where_that_is_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["gate", "desk.yaml", "--baseline", "b.json"]) == 0
    assert "harness baseline save desk.yaml -o b.json" in capsys.readouterr().err
    assert run(["gate", "desk.yaml", "--baseline", "b.json", "--no-baseline", "fail"]) == 3


def test_a_baseline_of_another_scenario_compares_nothing() -> None:
    saved()
    write(SCENARIO.replace("scenario: desk", "scenario: table"))
    assert run(["gate", "desk.yaml", "--baseline", "b/desk.json"]) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gate", "desk.yaml"], "either --baseline FILE or --base REF"),
        (["gate", "desk.yaml", "--base", "x", "--baseline", "y"], "either --baseline FILE"),
        (["gate", "desk.yaml", "--baseline", "b.json", "--limit", "latency=1%"], "no metric"),
        (["gate", "desk.yaml", "--baseline", "cut.json"], "cut.json"),
        (["baseline", "show", "nowhere.json"], "there is no baseline"),
    ],
)
def test_wrong_words_are_told(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cut.json").write_text('{"harness_baseline": 1, "scena', encoding="utf-8")
    assert run(words) == 2
    assert message in capsys.readouterr().err


def test_every_format_is_what_it_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved()
    write(slower("slow", 600, 1000))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    gate = ["gate", "desk.yaml", "--baseline", "b/desk.json", "--format"]
    capsys.readouterr()
    told = {}
    for output in ("json", "markdown", "junit", "github"):
        assert run([*gate, output]) == 1
        told[output] = capsys.readouterr().out
    assert json.loads(told["json"])["exit_code"] == 1
    assert ET.fromstring(told["junit"]).find(".//failure") is not None
    assert "\n::error " in told["github"]
    assert told["markdown"].count("|") > 20
    assert Path("summary.md").read_text(encoding="utf-8").count("latency_s_mean") >= 4


@pytest.mark.usefixtures("repository")
def test_a_committed_baseline_is_explained_from_the_commit_that_saved_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    saved()
    git("add", ".")
    git("commit", "-m", "a baseline")
    write(slower("slow", 600, 1000))
    git("commit", "-am", "a longer prompt")
    assert run(["gate", "desk.yaml", "--baseline", "b/desk.json"]) == 1
    assert "slow takes" in capsys.readouterr().out


# -- what a baseline keeps, and --set ------------------------------------------------------------------------------


def test_a_baseline_alone_tells_which_agent_takes_longer_and_costs_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["baseline", "save", "desk.yaml", "-o", "b.json"]) == 0
    write(slower("slow", 600, 1000))
    assert run(["gate", "desk.yaml", "--baseline", "b.json"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "latency_s_mean: slow takes" in told
    assert "cost_usd_mean: slow costs" in told
    assert "output tokens a reply from" in told


def test_a_baseline_of_an_older_harness_is_compared_without_a_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["baseline", "save", "desk.yaml", "-o", "b.json"]) == 0
    data = json.loads(Path("b.json").read_text(encoding="utf-8"))
    data["harness_baseline"] = 1
    for one in data["runs"]:
        assert one.pop("kept")
    Path("b.json").write_text(json.dumps(data), encoding="utf-8")
    write(slower("slow", 600, 1000))
    assert run(["gate", "desk.yaml", "--baseline", "b.json"]) == 1
    told = capsys.readouterr().out
    assert "regressed" in told
    assert "slow takes" not in told


SLOWER = "agents.slow.output_tokens=1000"


def test_set_changes_the_candidate_of_a_gate_and_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["baseline", "save", "desk.yaml", "--runs", "8"]) == 0
    gated = ["gate", "desk.yaml", "--baseline", "baselines/desk.json"]
    assert run(gated) == 0
    assert run([*gated, "--set", SLOWER]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert f"candidate this working tree --set {SLOWER}" in told
    assert "slow takes" in told


@pytest.mark.usefixtures("repository")
def test_set_does_not_change_the_commit_that_a_gate_compares_with() -> None:
    assert run(["gate", "desk.yaml", "--base", "main", "--set", SLOWER]) == 1


def test_a_baseline_of_a_variant_is_the_same_as_the_variant() -> None:
    assert run(["baseline", "save", "desk.yaml", "-o", "v.json", "--set", SLOWER]) == 0
    assert run(["gate", "desk.yaml", "--baseline", "v.json", "--set", SLOWER]) == 0


def test_a_budget_that_does_not_hold_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    write(SCENARIO + "budgets: {latency_s_p95: {below: 0.1}}\n")
    assert run(["baseline", "save", "desk.yaml", "-o", "b.json"]) == 0
    assert run(["gate", "desk.yaml", "--baseline", "b.json"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "budget latency_s_p95 below 0.1: does not hold" in told
    assert "The slowest tasks take" in told
    assert "for the work of slow" in told


def test_a_baseline_that_needs_a_reason_is_refused_before_anything_is_simulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(["baseline", "save", "desk.yaml"]) == 0
    monkeypatch.setattr("harness.gate.samples.simulate_each", None)
    assert run(["baseline", "save", "desk.yaml"]) == 2
