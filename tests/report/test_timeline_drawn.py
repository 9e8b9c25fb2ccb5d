"""Pictures of timelines: read without colour and without eyes, safe whatever the names, the same every time."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.drawing import as_png
from harness.report.palette import ROLES
from harness.report.timeline import (
    STYLE,
    Timeline,
    as_figure,
    as_svg,
    finding,
    rows,
    run_timeline,
    task_timeline,
)
from harness.report.timeline.details import LEGEND
from harness.report.timeline.legend import patterns
from harness.report.timeline.names import shown, width
from harness.run import Simulation
from harness.spans import (
    ABSENT,
    ATTEMPT,
    ERROR,
    EVENT_COLUMNS,
    OK,
    SPAN_COLUMNS,
    TASK,
    TOOL,
    Table,
)
from tests.examples import examples

Row = dict[str, Any]

SCENARIOS = Path(__file__).parents[2] / "scenarios"

ELEMENTS = {"svg", "defs", "pattern", "g", "path", "text", "title", "use", "a"}
ATTRIBUTES = {
    "class", "viewBox", "role", "aria-label", "aria-hidden", "fill", "font-size", "id", "width", "height", "patternUnits",
    "d", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap", "x", "y", "text-anchor", "tabindex", "transform", "href",
    "pointer-events", "text-decoration",
}  # fmt: skip


def table(*given: Row) -> Table:
    """Spans of task 1, with ids in their order; the first is the task's."""
    absent = {"float": ABSENT, "int": -1, "text": ""}
    standard = {"task": 1, "status": OK, "parent_id": 1}
    made = [standard | {"span_id": number} | row for number, row in enumerate(given, 1)]
    made[0]["parent_id"] = -1
    spans = Table(SPAN_COLUMNS)
    spans.extend(
        *([row.get(name, absent[kind]) for row in made] for name, kind in SPAN_COLUMNS.items())
    )
    return spans


def span(kind: str, arrival_s: float, end_s: float, **more: object) -> Row:
    return {"kind": kind, "arrival_s": arrival_s, "start_s": arrival_s, "end_s": end_s} | more


NO_EVENTS = Table(EVENT_COLUMNS)


def marks_of(svg: str) -> list[ET.Element]:
    return [it for it in ET.fromstring(svg).iter("g") if "m" in it.get("class", "").split()]


# -- as SVG -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hang() -> Timeline:
    run = Simulation(SCENARIOS / "hang.yaml").run()
    return run_timeline(run.spans, run.events)


def test_the_drawing_says_its_finding_and_one_mark_can_be_reached(hang: Timeline) -> None:
    root = ET.fromstring(as_svg(hang, "t"))
    assert (root.get("role"), root.get("aria-label")) == ("group", finding(hang))
    marks = marks_of(as_svg(hang, "t"))
    assert [mark.get("tabindex") for mark in marks] == ["0"] + ["-1"] * (len(marks) - 1)
    assert {mark.get("role") for mark in marks} == {"img"}
    assert all(mark.findtext("title") for mark in marks)
    assert len(marks) == len(hang.marks) + len(hang.faults)


def test_marks_are_told_apart_by_pattern_and_colour(hang: Timeline) -> None:
    svg = as_svg(hang, "key")
    kinds = {mark.kind for mark in hang.marks}
    for kind in kinds - {"work"}:
        assert f'<pattern id="key-{kind}"' in svg
        assert f'fill="var(--{kind.replace("_", "-")})"' in svg
        assert f'fill="url(#key-{kind})"' in svg
    assert 'fill="var(--work)"' in svg
    for kind in LEGEND:
        assert (f">{LEGEND[kind]}</text>" in svg) == (kind in kinds)
    assert "critical path" not in svg
    assert "a fault struck" in svg


def test_every_pattern_of_the_palette_can_be_drawn_and_told_from_others() -> None:
    drawn = {kind: "".join(patterns("t", [kind])) for kind in LEGEND if ROLES[kind].hatch}
    looks = {re.sub(r'id="[^"]*"|var[^"]*', "", pattern) for pattern in drawn.values()}
    assert len(looks) == len(drawn) >= 8
    plain = [kind for kind in LEGEND if kind not in drawn]
    assert plain == ["work", "hand_off"]  # what is between turns is not filled


def test_ids_begin_with_the_key_and_nothing_is_fetched(hang: Timeline) -> None:
    svg = as_svg(hang, "one")
    assert all(name.startswith("one-") for name in re.findall(r'\bid="([^"]*)"', svg))
    assert all(name.startswith("#one-") for name in re.findall(r'href="([^"]*)"', svg))
    assert "style=" not in svg
    assert "http" not in svg
    assert "url" not in STYLE


def test_the_critical_path_is_one_line_from_beginning_to_end() -> None:
    spans = table(span(TASK, 0, 10), span(TOOL, 0, 4, agent="a"), span(TOOL, 4, 10, agent="b"))
    svg = as_svg(task_timeline(spans, NO_EVENTS, 1), "t")
    assert (
        '<path stroke-width="3" d="M178 79H500.4M500.4 105H984"/><path d="M500.4 79V105"/>' in svg
    )


def test_a_path_of_a_trace_is_no_address(hang: Timeline) -> None:
    for trace in ("javascript:alert(1)", "https://example.com/x", '"><script>', "//example.com"):
        (link,) = ET.fromstring(as_svg(hang, "t", trace)).iter("a")
        assert not re.match(r"[a-z]+:|//", link.get("href", ""))


def test_the_same_timeline_gives_the_same_bytes(hang: Timeline) -> None:
    assert as_svg(hang, "t") == as_svg(hang, "t")
    assert as_png(as_figure(hang)) == as_png(as_figure(hang))


# -- hostile names ------------------------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(), max_size=40),  # halves of surrogate pairs, too
    st.sampled_from(
        [
            "<script>alert(1)</script>", '"><g onload="x">', "]]>", "<!--", "&amp;&#0;", "' onclick='x", "\u202eevil\u2066",
            "a\nb\r\tc\x0b\x00\x1b[31m", "\ud800", "\ufffe\uffff", "👩‍🚀" * 30, "שלום", "x" * 10_000, "字" * 99, "$\\frac{1}$", " " * 9_000,
        ]
    ),
)  # fmt: skip


@given(st.lists(NAMES, min_size=4, max_size=4), st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_no_name_gets_out_of_its_text(names: list[str], whole: bool) -> None:
    agent, other, model, error = names
    spans = table(
        span(TASK, 0, 10, name=other),
        span(ATTEMPT, 0, 6, agent=agent, name=model, model=other, first_token_s=2),
        span(ATTEMPT, 0, 3, agent=other, name=model, model=model, status=ERROR, error=error, fault=error),
        span(TOOL, 6, 9, agent=agent, name=error),
    )  # fmt: skip
    events = Table(EVENT_COLUMNS)
    events.extend([1.0], [3], [1], [other], ["fault"], [error], [""], [-1], [-1], [-1], [-1])
    timeline = run_timeline(spans, events) if whole else task_timeline(spans, events, 1)
    svg = as_svg(timeline, "t", "trace.json")
    json.dumps([finding(timeline), rows(timeline)]).encode()
    svg.encode()
    for element in ET.fromstring(svg).iter():
        assert element.tag in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
    assert len(svg) < 20_000
    assert not re.search("[\u202a-\u202e\u2066\u2067]", svg)
    assert svg.count("\u2068") == svg.count("\u2069")


@pytest.mark.parametrize(
    "name", ["👩‍🚀 字 שלום", "$\\frac{1}{", "a\nb\x00", "\ud800", "x" * 10_000]
)
def test_a_figure_has_any_names_without_a_warning(name: str) -> None:
    spans = table(span(TASK, 0, 10), span(TOOL, 0, 9, agent=name, name=name))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_png(as_figure(task_timeline(spans, NO_EVENTS, 1))).startswith(b"\x89PNG")


@given(NAMES, st.integers(2, 70))
@settings(max_examples=examples(300), deadline=None)
def test_a_name_is_shown_on_one_line_of_its_length(name: str, letters: int) -> None:
    text = shown(name, letters)
    assert width(text.strip("\u2068\u2069")) <= letters
    assert "\n" not in text
    assert text == text.strip()


def test_a_plain_name_is_shown_as_it_is() -> None:
    assert shown("lead reviewer") == "lead reviewer"
    assert shown("a" * 60) == "a" * 60
    assert shown("a" * 61) == "a" * 59 + "…"
    assert shown("字" * 31, 60) == "字" * 29 + "…"
