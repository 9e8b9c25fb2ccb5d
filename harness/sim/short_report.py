"""The pytest report of a failed simulated test: simulation first, then a short traceback.

pytest is not needed by anything else here: only the plugin imports this file. The report stays one of pytest's own
kinds, which pytest-xdist can send to another process and which editors can read.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest
from _pytest._code.code import (  # there is no public name for what a report is made of
    ExceptionChainRepr,
    ReprEntry,
    ReprEntryNative,
    ReprTraceback,
)

from harness.sim.failure import tells_itself
from harness.virtual.tracebacks import told

_OURS = Path(__file__).parents[1]
_STDLIB = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
_SITE = ("site-packages", "dist-packages")

_SEPARATOR = "Traceback (--full-trace shows all frames):"
"""What stands between what the simulation says and the traceback."""

_FAILURE = "E   "
"""How pytest begins the lines of an error's text."""

_GROUP_LINES_MAX = 12
"""How many lines of an exception group are shown."""


def shorten(report: pytest.TestReport, error: BaseException, text: str, *, whole: bool) -> None:
    """Put what the simulation says before the traceback, and fold the frames that are not the program's.

    Args:
        report: Of a test that failed.
        error: What it raised.
        text: What the simulation says.
        whole: Whether all frames are wanted.
    """
    shown = report.longrepr
    traceback = getattr(shown, "reprtraceback", None)
    if not isinstance(traceback, ReprTraceback):  # such as a mere text
        report.sections.append(("simulation", text))
        return
    chain = list(getattr(shown, "chain", ())) or [(traceback, shown.reprcrash, None)]  # type: ignore[union-attr]
    if not whole:
        chain = _folded(chain, error)
    block = ReprTraceback([ReprEntryNative([f"{text}\n"])], None, "native")
    new = ExceptionChainRepr([(block, None, _SEPARATOR), *chain])
    new.sections = list(getattr(shown, "sections", ()))
    report.longrepr = new


def told_in(report: pytest.TestReport) -> str:
    """What the simulation says in a report; empty if it says nothing."""
    chain = getattr(report.longrepr, "chain", ())
    if not chain or chain[0][2] != _SEPARATOR:
        return ""
    return "".join(chain[0][0].reprentries[0].lines).rstrip("\n")


_Chain = list[tuple[ReprTraceback, object, str | None]]


def _folded(chain: _Chain, error: BaseException) -> _Chain:
    """The tracebacks without frames of libraries; of the causes, those that the program has to do with."""
    *causes, (last, crash, description) = chain
    kept = [
        (_without_libraries(traceback.reprentries, traceback), where, words)
        for traceback, where, words in causes
        if any(map(_is_own, traceback.reprentries))
    ]
    if isinstance(error, BaseExceptionGroup):
        entries: Sequence[ReprEntry | ReprEntryNative] = [ReprEntryNative(_group(error))]
        return [*kept, (ReprTraceback(entries, None, "native"), crash, description)]
    short = _without_libraries(last.reprentries, last)
    if tells_itself(error):
        _keep_first_line(short)
    return [*kept, (short, crash, description)]


def _without_libraries(
    entries: Sequence[ReprEntry | ReprEntryNative], traceback: ReprTraceback
) -> ReprTraceback:
    """A traceback in which frames that follow one another in libraries are one line."""
    kept: list[ReprEntry | ReprEntryNative] = []
    folded: list[ReprEntry] = []

    def fold() -> None:
        # The machinery of a run is folded without a word, and so is asyncio around it.
        if folded and not any(map(_is_ours, folded)):
            packages = ", ".join(dict.fromkeys(map(_package, folded)))
            frames = f"{len(folded)} {'frame' if len(folded) == 1 else 'frames'}"
            kept.append(ReprEntryNative([f"... {frames} in {packages}\n"]))
        folded.clear()

    for entry in entries:
        if isinstance(entry, ReprEntry) and not _is_own(entry):
            folded.append(entry)
            continue
        fold()
        kept.append(_plain(entry))
    said = _text_of(folded[-1]) if folded else []
    fold()
    if said and kept and isinstance(kept[-1], ReprEntry):
        kept[-1].lines = [*kept[-1].lines, *said]
    elif said:
        kept.append(ReprEntry(said, None, None, None, "short"))
    return ReprTraceback(kept, None, traceback.style)


def _keep_first_line(traceback: ReprTraceback) -> None:
    """Leave one line of an error's text, the rest of which has been told."""
    entry = traceback.reprentries[-1]
    if isinstance(entry, ReprEntry):
        said = _text_of(entry)
        entry.lines = [*entry.lines[: len(entry.lines) - len(said)], *said[:1]]


def _text_of(entry: ReprEntry) -> list[str]:
    """The lines of an error's text, which come last."""
    lines = list(entry.lines)
    first = next((n for n, line in enumerate(lines) if line.startswith(_FAILURE)), len(lines))
    said = [line.removeprefix(_FAILURE) for line in lines[first:]]
    return [f"{_FAILURE}    {line}" for line in dedent("\n".join(said)).splitlines()]


def _plain(entry: ReprEntry | ReprEntryNative) -> ReprEntry | ReprEntryNative:
    """An entry that does not show the address of our fixture, nor marks below the one line that it has."""
    if not isinstance(entry, ReprEntry):
        return entry
    if entry.style == "short":
        entry.lines = [line for line in entry.lines if set(line.strip()) != {"^"}]
    if entry.reprfuncargs is not None:
        entry.reprfuncargs.args = [
            (name, value)
            for name, value in entry.reprfuncargs.args
            if "harness.sim" not in str(value)
        ]
        if not entry.reprfuncargs.args:
            entry.reprfuncargs = None
    return entry


def _group(error: BaseExceptionGroup[BaseException]) -> list[str]:
    """An exception group with the frames of the program alone; what is too long is cut in the middle."""
    lines = [line for line in told(error).splitlines() if set(line) - set("^| ")]
    half = _GROUP_LINES_MAX // 2
    if len(lines) > _GROUP_LINES_MAX:
        left = len(lines) - 2 * half
        lines = [*lines[:half], f"  ... {left} more lines", *lines[-half:]]
    return [f"{line}\n" for line in lines]


# -- whose a frame is -------------------------------------------------------------------------------------


def _is_own(entry: ReprEntry | ReprEntryNative) -> bool:
    """Whether an entry is of the program or its tests; one without a place is shown as it is."""
    path = _path(entry)
    return path is None or not (
        _OURS in path.parents
        or any(part in _SITE for part in path.parts)
        or any(folder in path.parents for folder in _STDLIB)
    )


def _is_ours(entry: ReprEntry) -> bool:
    path = _path(entry)
    return path is not None and _OURS in path.parents


def _package(entry: ReprEntry) -> str:
    """The library that a frame is in."""
    path = _path(entry)
    assert path is not None, "an entry without a place is not folded"
    parts = path.parts
    site = [place for place, part in enumerate(parts) if part in _SITE]
    if site:
        return parts[site[-1] + 1].removesuffix(".py")
    folder = next(folder for folder in _STDLIB if folder in path.parents)
    return path.relative_to(folder).parts[0].removesuffix(".py")


def _path(entry: ReprEntry | ReprEntryNative) -> Path | None:
    place = getattr(entry, "reprfileloc", None)
    return None if place is None else Path.cwd().joinpath(place.path).resolve()
