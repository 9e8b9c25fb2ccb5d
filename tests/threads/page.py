"""The page docs/threads.md, written from the programs that the tests run: `python -m tests.threads.page`."""

from __future__ import annotations

from pathlib import Path

from tests.threads.ways import GROUPS

PAGE = Path("docs/threads.md")

_BEGIN, _END = "<!-- generated: tests/threads -->", "<!-- end of the generated part -->"


def page(text: str) -> str:
    """The page with its generated part written again."""
    head, rest = text.split(_BEGIN)
    tail = rest.split(_END)[1]
    return f"{head}{_BEGIN}\n{_tables()}{_END}{tail}"


def _tables() -> str:
    lines: list[str] = []
    for title, ways in GROUPS.items():
        lines += [
            "",
            f"### {title}",
            "",
            "| what a program does | in a run | remarks |",
            "|---|---|---|",
        ]
        lines += [f"| {way.what} | {way.outcome} | {way.consequence} |" for way in ways]
    return "\n".join([*lines, "", ""])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
