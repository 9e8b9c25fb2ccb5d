"""What is shown of an error in the user's code: its traceback, cut to the user's own frames, without secrets."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

from harness.virtual.own_modules import is_own_file

_FRAMES_MAX = 6
"""Frames of the user's code that are shown of one error, the innermost ones."""
_TEXT_MAX = 2_000
"""What is shown of one error [characters]; messages may be replies of a model."""

_HARNESS = os.path.realpath(Path(__file__).parent.parent) + os.sep

_SECRET = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|xai|ghp|gho|ghs|github_pat|glpat|hf|xox[abposr])[-_]|AKIA|AIza|eyJ)[-_A-Za-z0-9]{8,}(?:\.[-_A-Za-z0-9]+)*"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
    r"|(?<=[Bb]earer )\S{8,}"
)
"""How keys of providers, services and repositories begin, names and passwords in addresses, and bearer tokens."""
_SECRET_NAME = re.compile(r"_KEY|TOKEN|SECRET|PASSW", re.IGNORECASE)
_SECRET_MIN = 8
"""Shorter values are words, such as `true` [characters]."""
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


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


def place_of(error: BaseException) -> str:
    """The innermost line of the user's code that an error came through, such as `app.py, line 3, in main: go()`; else ""."""
    frames = list(_own(traceback.extract_tb(error.__traceback__)))
    if not frames:
        return ""
    last = frames[-1]
    return _without_secrets(f"{last.filename}, line {last.lineno}, in {last.name}: {last.line}")


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
        if _SECRET_NAME.search(name) and len(value) >= _SECRET_MIN:
            text = text.replace(value, "[secret]")
    return _SECRET.sub("[secret]", text)
