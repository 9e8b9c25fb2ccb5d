"""The page of a report is one file that needs nothing else, and is the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest

from harness.report import Contents, Side, write_index, write_report
from harness.store import Store, queries
from tests.report.conftest import Drawn, Page


def test_same_runs_give_the_same_bytes_also_from_a_copy_of_the_store(
    drawn: Drawn, tmp_path: Path
) -> None:
    contents, _, folder = drawn
    copy = tmp_path / "copy.duckdb"
    shutil.copy(contents.side.store.path, copy)
    store = Store(copy)
    base = contents.base and Side(store, contents.base.run_ids)
    again = Contents(
        side=Side(store, contents.side.run_ids), base=base, judgement=contents.judgement
    )
    files = write_report(again, tmp_path / "again", "report")
    assert sorted(it.name for it in files) == sorted(it.name for it in folder.iterdir())
    for file in files:
        assert file.read_bytes() == (folder / file.name).read_bytes(), file.name


def test_page_of_some_thousand_spans_is_below_half_a_megabyte(drawn: Drawn) -> None:
    contents, page, _ = drawn
    assert sum(it["spans"] for it in contents.side.sizes.values()) > 700
    assert len(page.html.encode()) < 500_000


def test_page_loads_nothing_and_points_only_beside_itself(drawn: Drawn) -> None:
    _, page, folder = drawn
    assert not re.findall(r"https?://[^\"' <]*", page.html.replace("http://www.w3.org/", ""))
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "image"})  # fmt: skip
    assert not any("src" in it or "srcset" in it for _, it in page.elements)
    assert not any(name.startswith("on") for _, it in page.elements for name in it)
    ids = [str(it["id"]) for _, it in page.elements if "id" in it]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.elements:
        target = attributes.get("href", attributes.get("xlink:href"))
        if target is None:
            continue
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert tag == "a"
            assert target == "index.html" or (folder / target).is_file()
    assert "url(http" not in page.html
    assert set(re.findall(r"url\(#([^)]+)\)", page.html)) <= set(ids)


def test_policy_lets_the_pages_own_script_run_and_nothing_else(drawn: Drawn) -> None:
    _, page, _ = drawn
    (policy,) = [it["content"] for it in page.all("meta") if it.get("http-equiv")]
    (script,) = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert len(page.all("script")) == 1


def test_every_figure_has_a_picture_a_label_and_a_table(drawn: Drawn) -> None:
    _, page, folder = drawn
    figures = [str(it["id"]).removeprefix("figure-") for it in page.all("figure")]
    assert len(figures) >= 5
    assert sorted(it.stem for it in folder.glob("*.png")) == sorted(
        f"report-{it}" for it in figures
    )
    for key in figures:
        assert (folder / f"report-{key}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert page.tables[key][0].texts
    drawings = page.all("svg")
    assert len(drawings) == len(figures)
    for attributes in drawings:
        assert attributes["role"] in ("img", "group")
        assert len(str(attributes["aria-label"])) > 20


def test_texts_of_figures_have_the_colours_of_the_scheme(drawn: Drawn) -> None:
    _, page, _ = drawn
    styles = [str(it["style"]) for tag, it in page.drawn if tag == "text" and "style" in it]
    assert len(styles) > 30
    assert [it for it in styles if "fill: var(--" not in it] == []


def test_index_links_the_reports_and_shows_the_metrics_of_the_runs(
    simulated: Store, tmp_path: Path
) -> None:
    write_report(Contents(side=Side(simulated, (5,))), tmp_path, "run-5")
    (tmp_path / "other.json").write_text('{"report": 1}')
    (tmp_path / "other.html").write_text("")
    page = Page(write_index(simulated, tmp_path).read_text(encoding="utf-8"))
    assert page.table("reports").words("report") == ["run-5.html"]
    table = page.table("runs")
    rows = queries.runs(simulated)[::-1]
    assert table.column("run") == [row["run_id"] for row in rows]
    for metric in ("latency_s_mean", "latency_s_p95", "cost_usd_mean", "success_rate"):
        assert table.column(metric) == [row["metrics"][metric] for row in rows]
    assert [it["href"] for it in page.all("a")] == ["run-5.html", "run-5.html"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, "\xff", '{"report": "x", "scenario": "x", "verdict": "x", "tone": "x", "runs": []}',
        '{"report": "x", "scenario": "x", "verdict": "x", "tone": "x", "runs": 5}',
        '{"report": "x", "scenario": "x", "verdict": "x", "tone": "x", "runs": [[1]]}',
        '{"report": "x", "scenario": "x", "verdict": "x", "tone": "x", "runs": [1], "base_runs": {}}',
    ],
)  # fmt: skip
def test_index_passes_over_what_is_no_report(simulated: Store, tmp_path: Path, text: str) -> None:
    (tmp_path / "a-against-b.json").write_bytes(text.encode("latin-1"))
    (tmp_path / "a-against-b.html").write_text("")
    page = Page(write_index(simulated, tmp_path).read_text(encoding="utf-8"))
    assert "reports" not in page.tables
