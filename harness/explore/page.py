"""The page of a finding: its story, and the timelines of both runs beside one another."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from harness.explore.columns import in_columns
from harness.explore.exploration import Finding

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 110rem; padding: 0 1rem; color: #1d1d1f; background: #fff; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { text-align: left; } td { font: 13px/1.45 ui-monospace, monospace; vertical-align: top; padding: 1px 8px; overflow-wrap: anywhere; white-space: pre-wrap; }
td.only { background: #fdebd0; } td.only::before { content: "* "; }
code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #1d1d1f; } td.only { background: #5b4420; } }
"""


def page(finding: Finding) -> str:
    """A finding as a page of HTML, complete in itself."""
    where = f" at {escape(finding.where)}" if finding.where else ""
    steps = "".join(f"<li>{escape(each)}</li>" for each in finding.in_words)
    words = f"<ol>{steps}</ol>" if steps else "<p>No deviation: the run fails as it is.</p>"
    rows = "\n".join(_row(*pair) for pair in beside(finding.passing_timeline, finding.timeline))
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(finding.kind)}</title>
<style>{_STYLE}</style></head>
<body>
<h1>{escape(finding.kind)}: {escape(finding.message)}</h1>
<p>Found in run {finding.runs_until_found} by <em>{escape(finding.strategy)}</em>{where}, shrunk in {finding.runs_to_shrink} more runs.</p>
<h2>It takes</h2>
{words}
<h2>What happened</h2>
<table>
<thead><tr><th scope="col">In the nearest run that passes{_but_for(finding)}</th><th scope="col">In this run</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<h2>Replay</h2>
<p><code>{escape(finding.token)}</code></p>
</body>
</html>
"""


def _but_for(finding: Finding) -> str:
    return "".join(f"<br>{escape(each)}" for each in finding.nearest)


def write_page(finding: Finding, path: Path) -> None:
    """Write the page of a finding to a file."""
    path.write_text(page(finding), encoding="utf-8")


def beside(before: Sequence[str], now: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Two timelines line by line: one, the other, and whether they are the same there."""
    rows: list[tuple[str, str, bool]] = []
    before, now = in_columns(before, now)
    for kind, one, one_end, other, other_end in difflib.SequenceMatcher(
        a=before, b=now, autojunk=False
    ).get_opcodes():
        left, right = list(before[one:one_end]), list(now[other:other_end])
        count = max(len(left), len(right))
        left += [""] * (count - len(left))
        right += [""] * (count - len(right))
        rows += [(a, b, kind == "equal") for a, b in zip(left, right, strict=True)]
    return rows


def _row(left: str, right: str, same: bool) -> str:  # noqa: FBT001 - a column of the row
    cells = (
        f'<td class="only">{escape(text)}</td>' if text and not same else f"<td>{escape(text)}</td>"
        for text in (left, right)
    )
    return f"<tr>{''.join(cells)}</tr>"
