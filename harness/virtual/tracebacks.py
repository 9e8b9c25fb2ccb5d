"""Tracebacks of errors in user code, cut to the user's frames, without secrets."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

from harness.scrub import without_secrets
from harness.virtual.own_modules import is_own_file

_FRAMES_MAX = 6
"""Frames of the user's code that are shown of one error, the innermost ones."""
_TEXT_MAX = 2_000
"""What is shown of one error [characters]; messages may be replies of a model."""

_HARNESS = os.path.realpath(Path(__file__).parent.parent) + os.sep

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def told(error: BaseException) -> str:
    """The traceback of an error, cut to the frames of the user's code, without secrets and addresses."""
    whole = traceback.TracebackException.from_exception(error)
    _cut(whole, set())
    text = "".join(whole.format(chain=True)).strip()
    text = _ADDRESS.sub("0x...", without_secrets(text))
    if len(text) > _TEXT_MAX:
        half = _TEXT_MAX // 2
        text = f"{text[:half]}\n  [...]\n{text[-half:]}"
    return text


def place_of(error: BaseException) -> str:
    """The innermost line of the user's code that an error came through, such as `app.py, line 3, in main: go()`; else ""."""
    frames = list(_own(traceback.extract_tb(error.__traceback__)))
    if not frames:
        return ""
    last = frames[-1]
    return without_secrets(f"{last.filename}, line {last.lineno}, in {last.name}: {last.line}")


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
