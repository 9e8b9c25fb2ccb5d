"""Prompts and replies of each call, kept only on request.

Secrets are removed and the text is cut before it is kept, so no secret gets into a file. Spans never hold a text: a run
that keeps texts has the same span bytes as one that does not.
"""

from __future__ import annotations

from typing import Final, Literal

from harness.scrub import scrubbed
from harness.spans import ColumnType, Span, Table

TEXT_COLUMNS: Final[dict[str, ColumnType]] = {
    "span_id": "int",
    "task": "int",
    "kind": "text",
    "text": "text",
}
"""Name and type of each column of a text, in order; `store/schema.sql` says what each means."""

PROMPT: Final = "prompt"
REPLY: Final = "reply"

TEXT_MAX: Final = 8_000
"""How much of one text is kept: half of it from the beginning, half from the end [characters]."""


class Texts:
    """The texts of one run, as they are read and written."""

    def __init__(self) -> None:
        self.table = Table(TEXT_COLUMNS)

    def add(self, span: Span, kind: Literal["prompt", "reply"], text: str) -> None:
        """Keep the prompt or the reply of a call."""
        row = (span.span_id, span.task, kind, cut(scrubbed(text)))
        self.table.extend(*([value] for value in row))


def no_texts() -> Table:
    """The texts of a run that keeps none."""
    return Table(TEXT_COLUMNS)


def cut(text: str) -> str:
    """A text of bounded length: what is too long loses its middle, and says how much that was."""
    left_out = len(text) - TEXT_MAX
    if left_out <= 0:
        return text
    half = TEXT_MAX // 2
    return f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"
