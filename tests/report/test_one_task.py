"""The short page of one task, and the gallery that is made of such pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StoreError
from harness.patterns.api import PATTERNS
from harness.report import write_index, write_task_page
from harness.run import Simulation
from harness.run.record import record
from harness.store import Store
from tests.report.conftest import Page

ROOT = Path(__file__).parents[2]
MESH = ROOT / "scenarios" / "mesh.yaml"


def stored(folder: Path, *, keep_texts: bool = True) -> Store:
    simulation = Simulation(MESH, overrides=["workload.tasks=2"], keep_texts=keep_texts)
    store = Store(folder / "runs.duckdb")
    store.write([record(simulation.scenario, simulation.run(1))])
    return store


def sections(file: Path) -> dict[str, dict[str, Any]]:
    return {it["key"]: it for it in json.loads(file.read_text(encoding="utf-8"))["sections"]}


def test_page_tells_who_worked_when_wrote_to_whom_and_said_what(tmp_path: Path) -> None:
    store = stored(tmp_path)
    html, numbers, picture = write_task_page(store, 1, 2, tmp_path)
    assert html.name == "mesh-run-1-task-2.html"
    assert picture.name == "mesh-run-1-task-2-timeline.png"
    found = sections(numbers)
    assert list(found) == ["verdict", "what-happened", "messages", "texts"]
    assert found["verdict"]["title"].startswith("mesh, task 2: ended well after ")
    rows = found["messages"]["blocks"][0]["table"]["rows"]
    assert [row[1:4] for row in rows if row[3] == "update"][:2] == [
        ["lagos", "berlin", "update"],
        ["lima", "berlin", "update"],
    ]
    assert rows[0][0] == 0.0
    assert rows[-1][1:4] == ["team", "user", "result"]
    assert "Tuesday suits us." in {step["reply"] for step in found["texts"]["blocks"][0]["steps"]}
    page = Page(html.read_text(encoding="utf-8"))
    assert [it.get("id") for it in page.all("section")] == list(found)


def test_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        store = stored(tmp_path / name)
        write_task_page(store, 1, 1, tmp_path / name / "page")
        write_index(store, tmp_path / name / "page")
    one, other = (
        {it.name: it.read_bytes() for it in (tmp_path / name / "page").iterdir()} for name in "ab"
    )
    assert one == other
    assert "mesh-run-1-task-1.html" in one["index.html"].decode()


def test_without_texts_the_page_has_none(tmp_path: Path) -> None:
    _, numbers, _ = write_task_page(stored(tmp_path, keep_texts=False), 1, 1, tmp_path)
    assert list(sections(numbers)) == ["verdict", "what-happened", "messages"]


def test_task_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run 1 has no task 3; it has 2"):
        write_task_page(stored(tmp_path), 1, 3, tmp_path)


def test_every_pattern_has_a_small_page_in_the_gallery() -> None:
    text = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
    shipped = [name for name, kind in PATTERNS.items() if kind.__module__.startswith("harness.")]
    assert len(shipped) == 16
    for name in shipped:
        part = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        link = part.partition("[One task of it](../")[2].partition(")")[0]
        assert (ROOT / link).is_file(), f"the section {name} links to no page of the gallery"
        assert (ROOT / link).stat().st_size < 200_000


def test_every_weakness_has_a_page_in_the_gallery() -> None:
    text = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
    shipped = [name for name, kind in PATTERNS.items() if kind.__module__.startswith("harness.")]
    for name in shipped:
        part = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        links = re.findall(r"\(\.\./(reports/gallery/weaknesses/[^)]*)\)", part)
        assert links or name == "hybrid", f"the section {name} links to no page of its weakness"
        assert [it for it in links if not (ROOT / it).is_file()] == []
