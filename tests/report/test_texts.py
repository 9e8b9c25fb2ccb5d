"""What a page shows of prompts and replies."""

from __future__ import annotations

import json
from pathlib import Path

from harness.report import Contents, Side, write_report
from harness.report.blocks import Section, Step, Steps
from harness.report.page import as_html
from harness.run import Simulation
from harness.run.record import record
from harness.store import Store
from tests.report.conftest import Page
from tests.report.test_hostile import FORBIDDEN, NASTY

SCENARIO = """
scenario: team
seed: 1
workload: {tasks: 3, kinds: [{kind: question, text: "Why <b>?"}]}
providers: {anthropic: {}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents: {lead: {model: fast, system: "You lead."}, worker: {model: fast}}
pattern: {pipeline: {stages: [lead, worker]}}
faults:
  - {status: {agent: worker, call: 2, status: 400}}
"""


def page_of(folder: Path, *, keep_texts: bool, scenario: str = SCENARIO) -> tuple[Page, str]:
    """The page of one run, and its JSON."""
    folder.joinpath("team.yaml").write_text(scenario, encoding="utf-8")
    simulation = Simulation(folder / "team.yaml", keep_texts=keep_texts)
    store = Store(folder / "runs.duckdb")
    store.write([record(simulation.scenario, simulation.run())])
    html, numbers, *_ = write_report(Contents(side=Side(store, (1,))), folder, "report")
    return Page(html.read_text(encoding="utf-8")), numbers.read_text(encoding="utf-8")


def test_without_texts_the_page_has_no_such_section(tmp_path: Path) -> None:
    page, numbers = page_of(tmp_path, keep_texts=False)
    assert "texts" not in [it.get("id") for it in page.all("section")]
    assert "lead has done its part" not in page.html + numbers


def test_slowest_and_failed_task_are_shown_step_by_step(tmp_path: Path) -> None:
    page, numbers = page_of(tmp_path, keep_texts=True)
    (section,) = [it for it in json.loads(numbers)["sections"] if it["key"] == "texts"]
    slowest, failed = section["blocks"]
    assert slowest["title"].endswith("the slowest task: 2 steps")
    assert failed["title"] == "Task 2 of run 1, the first task that did not end well: 2 steps"
    lead, worker = failed["steps"]
    assert (lead["who"], lead["prompt"], lead["reply"]) == (
        "lead",
        "[system]\nYou lead.\n\n[user]\nWhy <b>?",
        "lead has done its part",
    )
    assert (worker["prompt"], worker["reply"]) == ("[user]\nlead has done its part", None)
    assert "invalid_request_error" in worker["outcome"]
    assert "There was none." in page.html
    assert "Why &lt;b&gt;?" in page.html
    assert [it["class"] for it in page.all("pre")] == ["text"] * 7
    assert "Task 2" in page.texts["h3"]


def test_times_of_steps_are_since_the_beginning_of_their_task(tmp_path: Path) -> None:
    scenario = SCENARIO.replace("tasks: 3", "tasks: 3, arrivals: {every_s: 10000}").replace("worker, call: 2", "lead, call: 2")  # fmt: skip
    page, numbers = page_of(tmp_path, keep_texts=True, scenario=scenario)
    (section,) = [it for it in json.loads(numbers)["sections"] if it["key"] == "texts"]
    slowest, failed = section["blocks"]
    assert [it["start_s"] for it in slowest["steps"]] == [0.0, slowest["steps"][0]["end_s"]]
    assert failed["title"] == "Task 2 of run 1, the first task that did not end well: 1 step"
    assert failed["steps"][0]["start_s"] == 0.0
    assert "0 s to 50 ms" in page.html


def test_texts_of_others_stay_texts(tmp_path: Path) -> None:
    page_of(tmp_path, keep_texts=False)
    steps = [
        Step(
            start_s=0.0, end_s=1.0, who=text, what=text, outcome=text, is_bad=True, sources=(text,), prompt=text,
            reply=text,
        )
        for text in NASTY
    ]  # fmt: skip
    section = Section(key="texts", title="Texts", blocks=[Steps(title="Task", steps=steps)])
    contents = Contents(side=Side(Store(tmp_path / "runs.duckdb"), (1,)))
    page = Page(as_html(contents, [section], "report"))
    assert len(page.all("pre")) == 2 * len(NASTY)
    assert not page.all("img")
    assert len(page.all("script")) == 1
    assert not FORBIDDEN.search(page.html)
    page.html.encode("utf-8")
