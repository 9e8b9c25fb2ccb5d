"""The errors that a program's tasks ended with: how many of each kind, and where the first of each came from."""

from __future__ import annotations

import os
import re
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.kernel.own_modules import is_own_file

_FRAMES_MAX = 6
"""Frames of the user's code that are shown of one error, the innermost ones."""
_TEXT_MAX = 2_000
"""What is shown of one error [characters]; messages may be replies of a model."""
_KINDS_MAX = 20
"""Kinds of error whose first traceback is kept; a class may be made anew for every task."""

_HARNESS = os.path.realpath(Path(__file__).parent.parent) + os.sep

_SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|ghp|gho|ghs|github_pat|glpat|hf|xox[abposr]|AKIA|AIza|eyJ)[-_A-Za-z0-9]{8,}(?:\.[-_A-Za-z0-9]+)*"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
    r"|(?<=[Bb]earer )\S{8,}"
)
"""How keys of providers, services and repositories begin, names and passwords in addresses, and bearer tokens."""
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


@dataclass(slots=True)
class Failures:
    """Gathers the errors of the tasks of one run."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many tasks each kind of error has ended."""
    tracebacks: dict[str, str] = field(default_factory=dict)
    """The first of each kind, cut to the frames of the user's code."""

    def add(self, error: Exception) -> str:
        """Note an error; returns its kind."""
        kind = type(error).__name__
        self.counts[kind] += 1
        if kind not in self.tracebacks and len(self.tracebacks) < _KINDS_MAX:
            self.tracebacks[kind] = told(error)
        return kind


def told(error: BaseException) -> str:
    """The traceback of an error, cut to the frames of the user's code, without secrets and addresses."""
    whole = traceback.TracebackException.from_exception(error)
    _cut(whole, set())
    text = "".join(whole.format(chain=True)).strip()
    text = _ADDRESS.sub("0x...", _without_secrets(text))
    if len(text) > _TEXT_MAX:
        half = _TEXT_MAX // 2
        text = f"{text[:half]}\n  [...]\n{text[-half:]}"
    return text


def _cut(error: traceback.TracebackException, seen: set[int]) -> None:
    """Cut an error, its causes and its parts; a cause with no frame of the user's is left out."""
    seen.add(id(error))
    error.stack = traceback.StackSummary.from_list(list(_own(error.stack))[-_FRAMES_MAX:])
    for name in ("__cause__", "__context__"):
        cause = getattr(error, name)
        if cause is None or id(cause) in seen:
            continue
        _cut(cause, seen)
        if not cause.stack:
            setattr(error, name, None)
    for part in getattr(error, "exceptions", None) or ():
        _cut(part, seen)


def _own(stack: traceback.StackSummary) -> Iterator[traceback.FrameSummary]:
    for frame in stack:
        file = frame.filename
        if (
            file.startswith("<")
            or not is_own_file(file)
            or os.path.realpath(file).startswith(_HARNESS)
        ):
            continue
        frame.filename = _short(file)
        yield frame


def _short(file: str) -> str:
    """A path as people write it: from the present folder, where it is in that."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return file


def _without_secrets(text: str) -> str:
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= 8:
            text = text.replace(value, "[secret]")
    return _SECRET.sub("[secret]", text)
