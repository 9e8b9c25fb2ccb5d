"""Reports of simulated runs, and the system's Chromium to look at them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.gate import gate, limits_of, stored
from harness.gate.output.page import judgement
from harness.metrics.history import HEARD
from harness.report import Contents, Side, write_index, write_report, write_task_page
from harness.report.notebook import comparison_html, run_html
from harness.run import Simulation
from harness.run.record import record
from harness.scenario import load_scenario
from harness.spans import CALL, EVENT_COLUMNS, SPAN_COLUMNS, Table
from harness.store import RunRecord, Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

ROOT = Path(__file__).parents[2]

SCREENSHOTS = ROOT / "build" / "screenshots"

WIDTHS = {"wide": 1280, "zoomed": 640, "phone": 390}
"""Of a window [CSS px]: a screen, the same at 200 %, and a telephone."""

REPORTS = ("runs", "overload", "comparison", "flow", "names", "texts")
"""The pages that are reports."""

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]  # fmt: skip
"""In a container there is no sandbox to be had, and the pages are our own."""

NASTY = "<img src=x onerror=alert(1)> \u202e\"'&\U0001f600"

NOTEBOOK = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A notebook</title>
<meta name="viewport" content="width=device-width"><style>
:root{color-scheme:light dark}body{font-family:sans-serif;background:#fff;color:#000}
@media (prefers-color-scheme: dark){body{background:#111;color:#eee}}</style></head>
<body><main><h1>A notebook</h1>%s</main></body></html>"""


@dataclass(frozen=True)
class Opened:
    """A page in a browser, and what it said and asked for on the way."""

    page: Page
    said: list[str]
    requests: list[str]


Open = Callable[..., Opened]


def simulated(name: str, *seeds: int) -> list[RunRecord]:
    """Runs of a scenario."""
    path = ROOT / "scenarios" / f"{name}.yaml"
    simulation, scenario = Simulation(path), load_scenario(path)
    return [record(scenario, simulation.run(seed)) for seed in seeds]


def with_texts() -> RunRecord:
    """A run that kept its prompts and replies, in which a task fails."""
    path = ROOT / "scenarios" / "code_review.yaml"
    overrides = ["workload.tasks=10", "faults=[{status: {agent: lead, call: 7, status: 400}}]"]
    simulation = Simulation(path, overrides=overrides, keep_texts=True)
    run = record(simulation.scenario, simulation.run(1))
    return replace(run, scenario="texts", scenario_hash="texts")


def with_flow(run: RunRecord) -> RunRecord:
    """The same run, as if it were of a program whose prompts are read: each call heard the first of its task."""
    events = Table(EVENT_COLUMNS)
    first: dict[int, int] = {}
    for span_id, task, kind, agent, at_s in run.spans.rows("span_id", "task", "kind", "agent", "arrival_s"):  # fmt: skip
        if kind == CALL and first.setdefault(task, span_id) != span_id:
            events.extend([at_s], [span_id], [task], [agent], [HEARD], [str(first[task])], [""], [-1], [-1], [-1], [-1])  # fmt: skip
    return replace(run, scenario="flow", scenario_hash="flow", events=events)


def with_names(run: RunRecord, more: str) -> RunRecord:
    """The same run, whose scenario, agents and models have names with more to them."""
    spans = Table(SPAN_COLUMNS)
    named = ("agent", "model", "name", "error", "fault")
    spans.extend(
        *(
            [f"{it}{more}" if it and name in named else it for it in run.spans.values(name)]
            for name in SPAN_COLUMNS
        )
    )
    agents = {f"{agent}{more}": metrics for agent, metrics in run.agent_metrics.items()}
    return replace(
        run, scenario=more, scenario_hash="nasty", spans=spans, command=more, agent_metrics=agents
    )


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Runs 1-4 of code_review, 5-6 of overload, 7-8 the same but slower, 9 with flow, 10 with names, 11 with texts."""
    kept = Store(tmp_path_factory.mktemp("store") / "runs.duckdb")
    reviews, overloads = simulated("code_review", 1, 2, 3, 4), simulated("overload", 1, 2)
    slower = [
        replace(
            it,
            scenario_hash="slower",
            metrics={**it.metrics, "latency_s_p95": 2 * it.metrics["latency_s_p95"]},
        )
        for it in overloads
    ]
    kept.write(
        [
            *reviews,
            *overloads,
            *slower,
            with_flow(reviews[0]),
            with_names(reviews[0], NASTY),
            with_texts(),
        ]
    )
    return kept


@pytest.fixture(scope="session")
def pages(store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of all kinds of pages."""
    folder = tmp_path_factory.mktemp("reports")
    before, after = stored(store, (5, 6), label="runs 5-6"), stored(store, (7, 8), label="runs 7-8")
    judged = judgement(gate(before, after, limits_of()))
    about = {
        "runs": Contents(side=Side(store, (1, 2, 3, 4))),
        "overload": Contents(side=Side(store, (5, 6))),
        "comparison": Contents(
            side=Side(store, (7, 8)), base=Side(store, (5, 6)), judgement=judged
        ),
        "flow": Contents(side=Side(store, (9,))),
        "names": Contents(side=Side(store, (10,))),
        "texts": Contents(side=Side(store, (11,))),
    }
    found = {name: write_report(contents, folder, name)[0] for name, contents in about.items()}
    found["task"] = write_task_page(store, 11, 4, folder)[0]
    found["index"] = write_index(store, folder)
    (run,) = simulated("overload", 1)
    found["notebook"] = folder / "notebook.html"
    fragments = run_html("run 5", run.spans, run.events, run.metrics) + comparison_html(judged)
    found["notebook"].write_text(NOTEBOOK % fragments, encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def browser(pages: dict[str, Path]) -> Iterator[Browser]:
    """The system's Chromium; after the pages, because what drives it runs a loop, and inside of one nothing is simulated."""
    del pages
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("there is no Chromium: install it, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


def dismissed(dialog: Dialog, said: list[str]) -> None:
    said.append(dialog.message)
    dialog.dismiss()


@pytest.fixture
def opened(browser: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens a page from its file: `opened("runs", width=390, dark=True)`."""
    contexts = []

    def open_page(
        name: str, *, width: int = 1280, dark: bool = False, script: bool = True
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        found = Opened(page, [], [])
        page.on("console", lambda message: found.said.append(message.text))
        page.on("pageerror", lambda error: found.said.append(str(error)))
        page.on("dialog", lambda dialog: dismissed(dialog, found.said))
        page.on("request", lambda request: found.requests.append(request.url))
        page.goto(pages[name].as_uri())
        return found

    yield open_page
    for context in contexts:
        context.close()
