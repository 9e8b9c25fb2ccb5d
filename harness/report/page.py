"""Write a report: one self-contained HTML file, a PNG for each figure, a JSON file."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.json_types import JsonObject
from harness.printable import printable_markup
from harness.report.blocks import Cards, DataTable, Drawing, Measured, Section, Steps, Value, Words
from harness.report.contents import Contents
from harness.report.drawing import as_png, as_svg
from harness.report.palette import css_variables
from harness.report.sections import SECTIONS
from harness.report.timeline import STYLE

if TYPE_CHECKING:
    from jinja2 import Environment


def sections_of(contents: Contents) -> list[Section]:
    """The sections, in the order of the page."""
    return [section for of in SECTIONS if (section := of(contents)) is not None]


def write_report(contents: Contents, folder: Path, name: str) -> list[Path]:
    """Write a report; the same store and runs give the same bytes.

    Args:
        contents: What it is about.
        folder: Where to; made if it is not there.
        name: What the files begin with.

    Returns:
        The files: the page first, then its numbers, then its pictures.

    Raises:
        HarnessError: The files cannot be written.
    """
    with ExitStack() as stack:
        for _, side in contents.sides:
            stack.enter_context(side.store.reading())
        sections = sections_of(contents)
    drawings = list(drawings_of(sections))
    files = {
        f"{name}.html": as_html(contents, sections, name).encode(),
        f"{name}.json": as_json(contents, sections, name).encode(),
        **{f"{name}-{it.key}.png": as_png(it.figure) for it in drawings},
    }
    return write_files(folder, files)


def as_html(contents: Contents, sections: Sequence[Section], name: str) -> str:
    """The page."""
    title = f"{contents.scenario}: {sections[0].title}"
    return page_html(title, sections, name, trace=contents.trace, traced=contents.shown["run_id"])


def page_html(
    title: str,
    sections: Sequence[Section],
    name: str,
    *,
    trace: str = "",
    traced: int | None = None,
) -> str:
    """A page of some sections, of which the first is the verdict.

    Args:
        title: What the browser calls it.
        sections: What it says.
        name: What the files beside it begin with.
        trace: The file of a trace; empty if there is none.
        traced: The run that the trace is of.
    """
    return environment().get_template("page.html.j2").render(
        title=title,
        sections=sections,
        tone=sections[0].tone,
        trace=trace,
        traced=traced,
        name=name,
        svg={it.key: it.svg or as_svg(it.figure, it.key, printable_markup(it.alt)) for it in drawings_of(sections)},
        **page_parts(),
    )  # fmt: skip


def as_json(contents: Contents, sections: Sequence[Section], name: str) -> str:
    """The numbers of the page, for programs."""
    report = {
        "report": name,
        "scenario": contents.scenario,
        "runs": list(contents.side.run_ids),
        "base_runs": list(contents.base.run_ids) if contents.base is not None else None,
        "verdict": sections[0].title,
        "tone": sections[0].tone,
        "sections": blocks_as_json(sections),
    }
    return json.dumps(report, indent=1, allow_nan=False) + "\n"


def blocks_as_json(sections: Sequence[Section]) -> list[JsonObject]:
    """The numbers of sections, for programs."""
    return [
        {
            "key": it.key,
            "title": it.title,
            "lead": it.lead,
            "blocks": [_block(block) for block in it.blocks],
        }
        for it in sections
    ]


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files whole: each gets its name when it is done.

    Raises:
        HarnessError: The folder cannot be made or written to.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            handle, draft = tempfile.mkstemp(prefix=".report-", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(draft).chmod(
                0o644
            )  # mkstemp's files are readable by their owner only, and pages are shared
            written.append(Path(draft).replace(folder / name))
    except OSError as error:
        raise HarnessError(
            f"cannot write the report to {folder}: {error.strerror or error}\n"
            "  How to fix: name another folder with -o"
        ) from error
    return written


@cache
def environment() -> Environment:
    """Where templates are; of everything that they are given, what cannot be shown is replaced, and the rest escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    found = Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        finalize=lambda it: printable_markup(it) if isinstance(it, str) and not isinstance(it, Markup) else it,
    )  # fmt: skip
    found.tests["cards"] = lambda block: isinstance(block, Cards)
    found.tests["drawing"] = lambda block: isinstance(block, Drawing)
    found.tests["steps"] = lambda block: isinstance(block, Steps)
    found.tests["words"] = lambda block: isinstance(block, Words)
    found.filters["raw"] = _raw
    return found


@cache
def page_parts() -> dict[str, str]:
    """Style and script of every page, and the policy that lets a browser run that very script and load nothing."""
    style, script = _template("page.css"), _template("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {
        "style": f":root{{{css_variables('light')}}}\n"
        f"@media screen and (prefers-color-scheme: dark){{:root{{{css_variables('dark')}}}}}\n{style}\n{STYLE}",
        "script": script,
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
    }


@cache
def fragment_style() -> str:
    """The style of a fragment in another page: every rule is nested in a class, so that it applies to the fragment only."""
    dark = f"@media screen and (prefers-color-scheme: dark){{.harness{{{css_variables('dark')}}}}}"
    return f".harness{{{css_variables('light')}}}\n{dark}\n.harness{{{_template('fragment.css')}\n{STYLE}}}"


def _template(name: str) -> str:
    return (resources.files("harness.report") / "templates" / name).read_text(encoding="utf-8")


def drawings_of(sections: Sequence[Section]) -> Iterator[Drawing]:
    """The figures of some sections."""
    return (block for section in sections for block in section.blocks if isinstance(block, Drawing))


def _block(block: Any) -> JsonObject:  # noqa: ANN401 - any of the blocks
    match block:
        case Cards():
            return {
                "cards": [
                    {
                        "title": it.title, "metric": it.metric, "value": _number(it.value), "change": it.change,
                        "interval": it.interval, "note": it.note,
                    }
                    for it in block.cards
                ]
            }  # fmt: skip
        case Steps():
            return {"title": block.title, "steps": [asdict(it) for it in block.steps]}
        case Words():
            return {"sentences": [text for _, text in block.sentences]}
        case Drawing():
            return {
                "figure": block.key,
                "title": block.title,
                "alt": block.alt,
                "table": _table(block.table),
            }
        case _:
            return {"table": _table(block)}


def _table(table: DataTable) -> JsonObject:
    return {
        "caption": table.caption,
        "columns": [{"title": it.title, "name": it.name} for it in table.columns],
        "rows": [[_number(value) for value in row] for row in table.rows],
    }


def _number(value: Value) -> Value:
    """A value for JSON, which knows no infinity."""
    if isinstance(value, Measured):
        return _number(value.value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _raw(value: Value) -> str:
    """A value as it was measured, for sorting and for tests."""
    if isinstance(value, Measured):
        return _raw(value.value)
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
