"""Pages as a reader sees them, and stores of simulated runs to draw them from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness.cli import run
from harness.gate import gate, limits_of, stored
from harness.gate.output.page import judgement
from harness.report import Contents, Side, write_report
from harness.store import Store

SCENARIOS = Path(__file__).parents[2] / "scenarios"

DRAWN = {
    "runs": (1, 2, 3, 4),
    "one run": (1,),
    "overload": (5, 6),
    "one run of overload": (5,),
}
"""Runs of `simulated`, by what they are."""

VOID = {"meta", "br", "hr", "img", "input", "link"}

Attributes = dict[str, str | None]


@dataclass
class PageTable:
    """A table of a page: what stands in its cells, and what they were measured as."""

    caption: str = ""
    titles: list[str] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    values: list[list[str | None]] = field(default_factory=list)

    def column(self, title: str) -> list[float | None]:
        """The numbers below a title."""
        return [number(row[self.titles.index(title)]) for row in self.values]

    def words(self, title: str) -> list[str]:
        """The texts below a title."""
        return [row[self.titles.index(title)] for row in self.texts]


@dataclass
class Shown:
    """What is written around a number."""

    value: str | None
    text: str = ""


class Page(HTMLParser):
    """A page, read by nothing but the rules of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[tuple[str, Attributes]] = []
        self.drawn: list[tuple[str, Attributes]] = []
        """Of the elements those inside of drawings."""
        self.tables: dict[str, list[PageTable]] = {}
        """By the id of the figure or the section that they stand in."""
        self.cards: dict[str, Shown] = {}
        self.texts: dict[str, str] = {}
        """All text, by the tag that it stands in."""
        self._open: list[tuple[str, Attributes]] = []
        self.feed(html)
        self.close()
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs), "no attribute stands twice"
        self.elements.append((tag, found))
        if self._within("svg"):
            self.drawn.append(self.elements[-1])
        if tag in VOID:
            return
        self._open.append((tag, found))
        if tag == "table":
            self.tables.setdefault(self._place(), []).append(PageTable())
        elif tag == "tr" and self._within("tbody"):
            self._table().texts.append([])
            self._table().values.append([])
        elif tag == "td":
            self._table().texts[-1].append("")
            self._table().values[-1].append(found.get("data-value"))
        elif tag == "th":
            self._table().titles.append("")
        elif tag == "dd" and "data-metric" in found:
            self.cards[str(found["data-metric"])] = Shown(found["data-value"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, f"{opened} is closed by {tag}"

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        self.texts[tags[-1] if tags else ""] = self.texts.get(tags[-1] if tags else "", "") + data
        if "caption" in tags:
            self._table().caption += data
        elif "th" in tags:
            self._table().titles[-1] += data
        elif "td" in tags:
            self._table().texts[-1][-1] += data
        elif "dd" in tags and "data-metric" in self._open[-1][1]:
            self.cards[str(self._open[-1][1]["data-metric"])].text += data

    def all(self, tag: str) -> list[Attributes]:
        """The attributes of all elements with this tag."""
        return [attributes for name, attributes in self.elements if name == tag]

    def table(self, place: str, caption: str = "") -> PageTable:
        """The table of a figure or a section; of several, that with the caption."""
        (found,) = [it for it in self.tables[place] if it.caption.startswith(caption)]
        return found

    def _table(self) -> PageTable:
        return self.tables[self._place()][-1]

    def _place(self) -> str:
        around = (
            str(attributes["id"]).removeprefix("figure-")
            for tag, attributes in reversed(self._open)
            if tag in ("figure", "section") and "id" in attributes
        )
        return next(around, "")

    def _within(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)


Drawn = tuple[Contents, Page, Path]
"""What a report is about, its page, and the folder that it lies in."""


def number(value: str | None) -> float | None:
    """A value that a page was given; None for what was not measured."""
    return None if not value else float(value)


def draw(contents: Contents, folder: Path, name: str = "report") -> Page:
    """Write a report, and read its page."""
    return Page(write_report(contents, folder, name)[0].read_text(encoding="utf-8"))


def compared(store: Store, base: Sequence[int], candidate: Sequence[int]) -> Contents:
    """What `harness report --base` draws."""
    before, after = stored(store, base, label="before"), stored(store, candidate, label="after")
    return Contents(
        side=Side(store, tuple(candidate)),
        base=Side(store, tuple(base)),
        judgement=judgement(gate(before, after, limits_of())),
    )


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Runs 1-4 of code_review, 5-6 of overload, and 7-8 of overload with one retry more."""
    path = tmp_path_factory.mktemp("store") / "runs.duckdb"
    changes: Any = ("--set", "policies.agents.answerer.retry.attempts=3")
    for scenario, runs, words in (
        ("code_review", 4, ()),
        ("overload", 2, ()),
        ("overload", 2, changes),
    ):
        file = str(SCENARIOS / f"{scenario}.yaml")
        assert run(["simulate", file, "--runs", str(runs), "--store", str(path), "--quiet", *words]) == 0  # fmt: skip
    return Store(path)


@pytest.fixture(scope="session", params=[*DRAWN, "comparison"])
def drawn(
    request: pytest.FixtureRequest, simulated: Store, tmp_path_factory: pytest.TempPathFactory
) -> Drawn:
    """Reports of one scenario and another, of a run and of several, and of two sides."""
    folder = tmp_path_factory.mktemp("reports")
    if request.param == "comparison":
        contents = compared(simulated, (5, 6), (7, 8))
    else:
        contents = Contents(side=Side(simulated, DRAWN[request.param]))
    return contents, draw(contents, folder), folder
