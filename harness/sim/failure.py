"""What is said of a simulated test that fails: the verdict, who waited for what, the last calls, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Deadlock, HarnessError
from harness.sim import timeline
from harness.sim.telling import path, refused
from harness.units import render

if TYPE_CHECKING:
    from harness.sim.program_run import ProgramRun

_CALLS_MAX = 8
"""How many lines of a timeline the report of a failed test has."""

_DETAILS_MAX = 10
"""How many lines follow the verdict."""

_TEXT_MAX = 160
"""How much of an error's text is shown [characters]."""

_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """An assertion of a run that did not hold; the error carries it."""

    run: ProgramRun
    what: str
    """In one line."""
    details: tuple[str, ...] = ()


def check_of(error: BaseException | None) -> FailedCheck | None:
    """The assertion of a run that an error tells of; None if it tells of something else."""
    check = getattr(error, "failed_check", None)
    return check if isinstance(check, FailedCheck) else None


def tells_itself(error: BaseException | None) -> bool:
    """Whether the text of an error is one of ours, all of which stands in what is said of a failure."""
    return isinstance(error, HarnessError) or check_of(error) is not None


def describe(error: BaseException | None, last_run: ProgramRun | None, command: str) -> str:
    """Say why a test failed.

    Args:
        error: What it raised, if that is known.
        last_run: Its latest run; None if no run has ended.
        command: What runs it again; empty if nobody knows.

    Returns:
        Lines, the verdict first.
    """
    check = check_of(error)
    run = check.run if check is not None else last_run
    lines = list(_verdict(error, run))
    if run is None:
        lines.append("No run has ended.")
    else:
        lines += _of_run(run, error)
    if command:
        lines.append(f"To replay: {command}")
    return "\n".join(map(_from_here, lines))


def _verdict(error: BaseException | None, run: ProgramRun | None) -> Iterator[str]:
    check = check_of(error)
    if error is None:
        yield "The test failed."
    elif check is not None:
        yield check.what
        yield from _cut([f"  {line}" for line in check.details])
    elif isinstance(error, Deadlock):
        yield from _deadlock(error)
    elif isinstance(error, HarnessError):
        first, *others = str(error).splitlines() or [""]
        yield first
        yield from _cut(others)
    else:
        yield f"{type(error).__name__}: {_reason(error, run)}"


def _deadlock(error: Deadlock) -> Iterator[str]:
    lines = error.report.splitlines()
    cycles = [line.partition(": ")[2] for line in lines if line.startswith("  cycle: ")]
    why = f"tasks wait for one another, {cycles[0]}" if cycles else "nothing can ever run again"
    yield f"Deadlock at {render('latency_s', error.now_s)}: {why}"
    yield from _cut([line for line in lines if not line.startswith("  cycle: ")])


def _reason(error: BaseException, run: ProgramRun | None) -> str:
    if run is not None and getattr(error, "status_code", None) == _TOO_MANY_REQUESTS:
        storms = list(refused(run))
        if storms:
            return "; ".join(storms)
    text = (str(error).strip().splitlines() or ["(no message)"])[0]
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}..."


def _of_run(run: ProgramRun, error: BaseException | None) -> Iterator[str]:
    if getattr(error, "status_code", None) != _TOO_MANY_REQUESTS:
        yield from refused(run)
    if run.tasks and run.tasks not in str(run.error):
        yield "Tasks when it failed:"
        yield from _cut(run.tasks.splitlines())
    yield from path(run)
    happened = [entry for entry in timeline.entries(run) if not entry.is_detail]
    if happened:
        yield "The last calls:"
        yield from (f"  {line}" for line in timeline.told(happened, _CALLS_MAX))
    yield f"Seed {run.seed}, virtual time {run.latency_s:.6f} s."


def _cut(lines: Sequence[str]) -> Iterator[str]:
    """The first lines of a list, and how many more there are."""
    yield from lines[:_DETAILS_MAX]
    left = len(lines) - _DETAILS_MAX
    if left > 0:
        yield f"  ... and {left} more {'line' if left == 1 else 'lines'}"


def _from_here(line: str) -> str:
    """A line whose paths begin in the present folder."""
    try:
        return line.replace(f"{Path.cwd()}/", "")
    except OSError:  # the test has removed the folder
        return line
