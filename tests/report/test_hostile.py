"""Names and texts that somebody else chose reach a page as text, and as nothing else."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report import Contents, Side, write_index, write_report
from harness.report.drawing import as_svg
from harness.report.figures.network import Arrow, draw_network
from harness.report.judgement import Cause, Judged, Judgement
from harness.report.notebook import comparison_html, run_html
from harness.report.page import as_html, as_json, sections_of
from harness.spans import EVENT_COLUMNS, SPAN_COLUMNS, Table
from harness.store import RunRecord, Store
from tests.examples import examples
from tests.report.conftest import Page

NASTY = [
    "<script>alert(1)</script>",
    "</title></style></script><img src=x onerror=alert(1)>",
    '"><svg onload="alert(1)">',
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp;amp; &#60;",
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac{1}{2}$ and $x",
    "\\u202e \\N{BULLET} %s %(a)s {0}",
    "]]><!-- <![CDATA[ -->",
    "=HYPERLINK(\"http://x\")",
    "javascript:alert(1)",
    "url(#a) id=\"b\" href=\"#c\" #0072b2 #1b2128",
    "\u202eevil\u202c \u2066a\u2069 \u200f",
    "abc \u05d0\u05d1\u05d2 \u0627\u0644",
    "line\nbreak\r\nand\ttab",
    "\x00\x01\x1b[31m\x7f\x85",
    "\ud800 \udfff",
    "\ufffe\uffff\U0001fffe",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301" + "\u0301" * 50,
    "\u4e2d\u6587\u540d\u5b57",
    "x" * 10_000,
    " ",
    "../../etc/passwd?a=b#c",
]  # fmt: skip

RIGHT_TO_LEFT = "\u05d0\u05d1\u05d2"

FORBIDDEN = re.compile(
    "[\u202a-\u202e\u2066\u2067\u200e\u200f\u061c\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
"""What turns the text around it, and what is no text. Isolates (U+2068, U+2069) are what timelines use themselves."""

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
"""Which drawings inside of HTML need not name, and XML must."""

LETTERS = st.one_of(
    st.sampled_from("<>\"'&$\\{}%#;:()=-/`\n\r\t\x00\x1b\x7f\x85"),
    st.sampled_from("\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u061c"),
    st.sampled_from("\u05d0\u0627\u4e2d\U0001f600\u0301\u200d\ufffe\U000e0001"),
    st.characters(),  # all of Unicode, halves of surrogate pairs among it
)
TEXTS = st.text(LETTERS, min_size=1, max_size=12)


def a_table(columns: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    """A table of the rows; what a row does not name is absent in it."""
    absent: dict[str, Any] = {"float": float("nan"), "int": -1, "text": ""}
    made = Table(columns)
    made.extend(*([row.get(name, absent[kind]) for row in rows] for name, kind in columns.items()))
    return made


def tables(text: str) -> tuple[Table, Table]:
    """A task of two agents with calls, a failed attempt, a tool and a wait: wherever there may be a text, this one is."""
    again = f"{text}2"
    spans = [
        {"span_id": 1, "kind": "task", "name": text, "arrival_s": 0.0, "start_s": 0.0, "end_s": 9.0, "status": "error", "error": text},
        {"span_id": 2, "parent_id": 1, "kind": "agent", "name": text, "agent": text, "arrival_s": 0.0, "start_s": 0.0, "end_s": 6.0, "status": "ok"},
        {"span_id": 3, "parent_id": 2, "kind": "call", "name": text, "agent": text, "model": text, "ordinal": 1, "arrival_s": 0.0, "start_s": 0.0, "end_s": 4.0, "status": "ok"},
        {"span_id": 4, "parent_id": 3, "kind": "attempt", "name": text, "agent": text, "model": text, "ordinal": 1, "arrival_s": 0.0, "start_s": 0.5, "end_s": 1.0, "status": "error", "error": text, "http_status": 529, "fault": text, "cost_usd": 0.1, "retry_after_s": 1.0},
        {"span_id": 5, "parent_id": 3, "kind": "wait", "name": "backoff", "agent": text, "arrival_s": 1.0, "start_s": 1.0, "end_s": 2.0, "status": "ok"},
        {"span_id": 6, "parent_id": 3, "kind": "attempt", "name": text, "agent": text, "model": text, "ordinal": 2, "arrival_s": 2.0, "start_s": 2.5, "first_token_s": 3.0, "end_s": 4.0, "status": "ok", "input_tokens": 5, "output_tokens": 5, "cost_usd": 0.1},
        {"span_id": 7, "parent_id": 2, "kind": "tool", "name": text, "agent": text, "arrival_s": 4.0, "start_s": 4.0, "end_s": 6.0, "status": "ok"},
        {"span_id": 8, "parent_id": 1, "kind": "agent", "name": again, "agent": again, "arrival_s": 6.0, "start_s": 6.0, "end_s": 9.0, "status": "ok"},
        {"span_id": 9, "parent_id": 8, "kind": "call", "name": text, "agent": again, "model": text, "ordinal": 1, "arrival_s": 6.0, "start_s": 6.0, "end_s": 9.0, "status": "ok"},
        {"span_id": 10, "parent_id": 9, "kind": "attempt", "name": text, "agent": again, "model": text, "ordinal": 1, "arrival_s": 6.0, "start_s": 6.0, "first_token_s": 7.0, "end_s": 9.0, "status": "ok", "input_tokens": 5, "output_tokens": 5, "cost_usd": 0.1},
    ]  # fmt: skip
    events = [
        {"at_s": 0.6, "span_id": 4, "task": 1, "agent": text, "name": "fault", "detail": text},
        {"at_s": 6.0, "span_id": 9, "task": 1, "agent": again, "name": "heard", "detail": "3"},
        {"at_s": 6.0, "span_id": 9, "task": 1, "agent": again, "name": text, "detail": text},
    ]
    return a_table(SPAN_COLUMNS, [{"task": 1} | it for it in spans]), a_table(EVENT_COLUMNS, events)


def record(text: str, seed: int = 1) -> RunRecord:
    spans, events = tables(text)
    return RunRecord(
        scenario=text, scenario_hash=text, seed=seed, status="done", tasks=1, warmup_tasks=0, makespan_s=9.0, wall_s=0.1,
        harness_version=text, commit_id=text, source=text, command=text, spans=spans, events=events,
        metrics={"latency_s_mean": 9.0 + seed, "latency_s_p95": 9.0}, agent_metrics={text: {"calls_mean": 1.0}, text + "3": {}},
        budgets=[("latency_s_mean", "below", 60.0)], limits=[(text, "requests_per_min", 60.0)],
    )  # fmt: skip


def judged(text: str) -> Judgement:
    """A comparison in whose explanation the text stands."""
    metric = Judged(
        metric="latency_s_mean", base=1.0, candidate=2.0, change=1.0, low=0.9, high=1.1, change_text="+100%", interval_text="+90..+110%", limit="+10%", status="regressed",
        tone="bad", sentence=f"it is {text}", why=f"agent {text} is slower",
        causes=(Cause(kind=text, agent=text, name=text, base=1.0, candidate=2.0),),
    )  # fmt: skip
    return Judgement(
        verdict="fail", tone="bad", headline=f"{text}: 1 against 2", advice="Look.", metrics=(metric,), notes=(text,)
    )  # fmt: skip


def about(folder: Path, text: str) -> Contents:
    """A comparison of runs full of a text."""
    store = Store(folder / "runs.duckdb")
    first, second, third = store.write([record(text), record(text, 2), record(text, 3)])
    return Contents(
        side=Side(store, (second, third)), base=Side(store, (first,)), judgement=judged(text)
    )


class Drawn(NamedTuple):
    """What is drawn of runs full of a text."""

    page: Page
    overview: Page
    numbers: str


def drawn(folder: Path, text: str) -> Drawn:
    """The page of such a comparison, the index over its store, and its numbers; without pictures, which take their time."""
    contents = about(folder, text)
    with contents.side.store.reading():
        sections = sections_of(contents)
    overview = write_index(contents.side.store, folder)
    return Drawn(
        Page(as_html(contents, sections, "report")),
        Page(overview.read_text("utf-8")),
        as_json(contents, sections, "report"),
    )


Shape = tuple[list[str], set[str]]
"""The elements of a page with the names of their attributes: those around its drawings, and those that are drawn."""


def shape(page: Page) -> Shape:
    named = [
        f"{tag} {' '.join(attributes)}"
        for it in (page.elements, page.drawn)
        for tag, attributes in it
    ]
    drawn_ = set(named[len(page.elements) :])
    return [it for it in named if it not in drawn_], drawn_


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shape, Shape]:
    """Of a page whose texts are plain, and of its index."""
    page, index, _ = drawn(tmp_path_factory.mktemp("plain"), "plain " * 20)
    return shape(page), shape(index)


def spelt(text: str) -> str:
    """A text as a store keeps it, which spells out what is no Unicode."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def readable(text: str) -> str:
    """A text as it may be shown: what has no form is replaced, and lines are lines."""
    hidden = {"Cc", "Cs"}
    turning = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    kept = "\n\r\t\x85"
    return "".join(
        "\ufffd"
        if (unicodedata.category(it) in hidden and it not in kept) or it in turning or it in "\ufffe\uffff"
        else it
        for it in spelt(text)
    )  # fmt: skip


def lines(text: str) -> str:
    """A text as HTML has it, for which a carriage return is a new line."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check(found: Drawn, text: str, like: tuple[Shape, Shape]) -> None:
    """All that must hold whatever somebody called something."""
    page, index, numbers = found
    for here, (around, in_drawings) in zip((page, index), like, strict=True):
        assert shape(here)[0] == around
        assert shape(here)[1] <= in_drawings
    shown = {row[0]: row[1:] for row in page.table("origin").texts}
    for what in ("scenario", "file", "harness", "to replay the last run"):
        assert [lines(it) for it in shown[what]] == [lines(readable(text))] * 2, what
    assert lines(page.table("agents").words("agent")[0]) == lines(readable(text))
    assert lines(index.table("runs").words("scenario")[0]) == lines(readable(text))
    for html in (page.html, index.html):
        assert html.count("<script>") == html.count("</script>") == 1
        assert not FORBIDDEN.search(html)
        for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
            ET.fromstring(svg.replace("<svg ", f"<svg {XLINK} ", 1))
    assert json.loads(numbers)["scenario"] == spelt(text)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_texts_from_outside_come_back_as_text(
    tmp_path: Path, harmless: tuple[Shape, Shape], text: str
) -> None:
    check(drawn(tmp_path, text), text, harmless)


@pytest.mark.slow
@settings(max_examples=examples(15), deadline=None, derandomize=True)
@given(text=TEXTS)
def test_any_text_from_outside_comes_back_as_text(
    tmp_path_factory: pytest.TempPathFactory, harmless: tuple[Shape, Shape], text: str
) -> None:
    check(drawn(tmp_path_factory.mktemp("any"), text), text, harmless)


def test_texts_in_tables_and_sentences_are_isolated_from_what_is_around_them(
    tmp_path: Path,
) -> None:
    page, index, _ = drawn(tmp_path, RIGHT_TO_LEFT)
    for found in (page, index):
        around = re.findall(f"(<[^<>]+>)[^<>]*{RIGHT_TO_LEFT}", found.html)
        assert len(around) > 3
        assert {
            it for it in around if not it.startswith(("<bdi>", "<text ", "<title>", "<svg ", "<g "))
        } == set()


@pytest.mark.parametrize("text", ["$\\frac{1}{2}$", "\u4e2d\u6587 \U0001f600 \u05d0", "\x00\ufffe\n\u202e", "x" * 10_000])  # fmt: skip
def test_pictures_are_drawn_of_any_names(tmp_path: Path, text: str) -> None:
    files = write_report(about(tmp_path, text), tmp_path / "out", "report")
    pictures = [file for file in files if file.suffix == ".png"]
    assert len(pictures) == len(Page(files[0].read_text("utf-8")).all("figure")) >= 8
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert 5_000 < picture.stat().st_size < 100_000


def test_names_in_figures_are_neither_formulas_nor_ids_nor_colours() -> None:
    names = ["$a$", 'url(#a) id="b"', "#0072b3", "\u4e2d\u6587"]
    arrows = [Arrow(names[0], names[1], 1.0, "one"), Arrow(names[2], names[3], 1.0, "two")]
    svg = as_svg(draw_network(arrows), "k", "")
    texts = [
        it.text for it in ET.fromstring(svg.replace("<svg ", f"<svg {XLINK} ", 1)).iter("text")
    ]
    assert [it for it in texts if it not in ("one", "two")] == names


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_fragments_for_notebooks_hold_no_more_than_their_template_brought(text: str) -> None:
    def fragment(name: str) -> Page:
        metrics = {"latency_s_mean": 9.0, name: 1.0}
        return Page(run_html(name, *tables(name), metrics) + comparison_html(judged(name)))

    found, plain = fragment(spelt(text)), fragment("plain " * 20)
    assert shape(found)[0] == shape(plain)[0]
    assert shape(found)[1] <= shape(plain)[1]
    assert lines(readable(text)) in lines(found.texts["bdi"])
    assert not FORBIDDEN.search(found.html)
