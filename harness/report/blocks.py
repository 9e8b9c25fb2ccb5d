"""Blocks of a page: sections of cards, tables, figures and sentences. Pages and JSON are made from the same blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from harness.units import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Measured(NamedTuple):
    """A number in a column of numbers of several kinds."""

    name: str
    """A name that ends in its unit."""
    value: float | None
    text: str = ""
    """How it is written; empty for as its unit demands."""


Value = str | int | float | Measured | None
"""What stands in a cell; None for what was not measured."""

Tone = Literal["", "good", "bad", "unsure"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    name: str = ""
    """Of numbers: a name that ends in their unit, such as `latency_s`; empty for texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Numbers, as they were measured; how they are written follows from the names of the columns."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Value]]
    note: str = ""
    """What was left out, if anything was."""

    def text(self, column: Column, value: Value) -> str:
        """A cell as people read it."""
        if isinstance(value, Measured):
            return value.text or self.text(Column(column.title, value.name), value.value)
        if value is None:
            return "-"
        if not column.name or isinstance(value, str):
            return str(value)
        return render(column.name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One number that matters."""

    title: str
    metric: str
    value: float | None
    change: str = ""
    """Against the base, such as `+24.9%`."""
    interval: str = ""
    tone: Tone = ""
    note: str = ""
    """What it is beside: a budget, a second number."""

    @property
    def text(self) -> str:
        """The number with its unit."""
        return "not measured" if self.value is None else render(self.metric, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Numbers side by side."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure, with what it says in words and as a table."""

    key: str
    """Names its files, and what a link to it ends in."""
    title: str
    alt: str
    """What it shows, for those who do not see it: the finding, with its numbers."""
    reading: str
    """One line: how to read it."""
    figure: Figure
    table: DataTable
    svg: str = ""
    """A drawing made for pages, which may be hovered over; empty if the figure itself stands there."""
    width_min: int = 0
    """Below this width it is scrolled rather than shrunk [CSS px]; 0 for as small as may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Sentences, each with a tone."""

    sentences: Sequence[tuple[Tone, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was done for a task: a call of a model, or a use of a tool."""

    start_s: float
    """When it began, since the beginning of its task [s]."""
    end_s: float
    """When it ended, likewise [s]."""
    who: str
    """The agent that did it."""
    what: str
    outcome: str
    is_bad: bool
    """Whether it did not end well."""
    sources: tuple[str, ...] = ()
    """The agents whose replies are part of the prompt."""
    prompt: str | None = None
    """What was read; None where no text was kept."""
    reply: str | None = None
    """What was written; None where there was no reply, or no text was kept."""

    @property
    def times(self) -> str:
        """From when until when."""
        return f"{render('at_s', self.start_s)} to {render('at_s', self.end_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The steps of one task in the order of their beginnings; each can be opened."""

    title: str
    steps: Sequence[Step]
    note: str = ""
    """What was left out, if anything was."""


Block = Cards | DataTable | Drawing | Steps | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page."""

    key: str
    title: str
    lead: str = ""
    """What the section says, in a sentence or two."""
    blocks: Sequence[Block] = field(default=())
    tone: Tone = ""
    """Of the whole; only a verdict has one."""
