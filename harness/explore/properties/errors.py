"""The program ends without an error, or with one that tells what went wrong outside.

A program may fail when a provider was down, if it says so: with the error of its SDK, a time-out, or an error that it raises itself. A
`KeyError` that nobody raised on purpose is a bug, whatever the provider did.
"""

from __future__ import annotations

import asyncio
import dis
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import PurePath
from types import TracebackType

from harness.agents import ToolError
from harness.errors import HarnessError
from harness.explore.properties.api import Context, Failure
from harness.kernel.code_places import OURS
from harness.virtual.own_modules import is_own_file

_RAISE = dis.opmap["RAISE_VARARGS"]

_SDK_ERRORS = ("anthropic", "openai", "google.genai.errors", "httpx", "httpx2", "aiohttp")
"""Modules with the errors of SDKs and of their connections."""

_TEXT_MAX = 200
"""How much of an error's text is shown [characters]."""


def error(context: Context) -> Failure | None:
    """The error of the program that nobody may raise."""
    raised = context.now.error
    if raised is None or (isinstance(raised, HarnessError) and not isinstance(raised, ToolError)):
        return (
            None  # bounds and deadlocks are another property's; the others are mistakes of a test
        )
    if context.deviations and is_clean(raised, context):
        return None
    bug = next(_bugs(raised, context), raised) if context.deviations else raised
    return failure_of(bug)


def unseen_error(context: Context) -> Failure | None:
    """An error that ends a task or a thread, that nobody asks for, and that no deviation excuses.

    What dies in the passing run already is not looked at: its author has seen the program pass.
    """
    if not context.deviations or context.now.error is not None:
        return None
    for death in context.now.deaths:
        bug = next(_bugs(death, context), None)
        if bug is not None and not context.passing.died:
            return failure_of(bug)
    return None


def failure_of(raised: BaseException) -> Failure:
    """An error as a failure."""
    text = (str(raised).strip().splitlines() or [""])[0][:_TEXT_MAX]
    where = innermost_line(raised.__traceback__)
    message = f"{type(raised).__name__}: {text}" if text else type(raised).__name__
    return Failure(type(raised).__name__, message, where)


def is_clean(raised: BaseException, context: Context) -> bool:
    """Whether an error is one with which a program may end under these deviations."""
    return next(_bugs(raised, context), None) is None


def _bugs(raised: BaseException, context: Context) -> Iterator[BaseException]:
    """Of an error, or of those in a group, the ones that no deviation excuses."""
    if isinstance(raised, BaseExceptionGroup):
        for one in raised.exceptions:
            yield from _bugs(one, context)
    elif not _is_excused(raised, context):
        yield raised


def _is_excused(raised: BaseException, context: Context) -> bool:
    if isinstance(raised, asyncio.CancelledError):
        return context.is_cancelled
    if isinstance(raised, AssertionError):
        return False
    if isinstance(raised, TimeoutError | ConnectionError | ToolError):
        return True
    if _is_of_library(raised) or _passes_on(raised):
        return context.is_disturbed
    if is_raised_on_purpose(raised.__traceback__):
        return context.is_disturbed
    # What a parser of the standard library says of a damaged reply.
    return isinstance(raised, json.JSONDecodeError | UnicodeError) and context.has_fault


def _is_of_library(raised: BaseException) -> bool:
    """Whether the class of an error is that of an installed package, such as an SDK's."""
    module = type(raised).__module__
    if module.partition(".")[0] in sys.stdlib_module_names or module == "builtins":
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and not is_of_program(file)


def _passes_on(raised: BaseException) -> bool:
    """Whether a library tells of an SDK's error in the text of its own, as AutoGen does: `RuntimeError: APIError: ...`."""
    name = str(raised).partition(":")[0]
    known = [getattr(sys.modules.get(module), name, None) for module in _SDK_ERRORS]
    tells = any(isinstance(one, type) and issubclass(one, Exception) for one in known)
    file, raises = _raised_by(raised.__traceback__)
    return tells and raises and not is_of_program(file)


def is_raised_on_purpose(trace: TracebackType | None) -> bool:
    """Whether the program's own code raised an error with a `raise` statement."""
    file, raises = _raised_by(trace)
    return raises and is_of_program(file)


def _raised_by(trace: TracebackType | None) -> tuple[str, bool]:
    """The file that an error comes from, and whether a `raise` statement raised it there."""
    last = None
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None:
        return "", False
    code = last.tb_frame.f_code
    at = last.tb_lasti
    return code.co_filename, 0 <= at < len(code.co_code) and code.co_code[at] == _RAISE


def innermost_line(trace: TracebackType | None) -> str:
    """The innermost line of the user's in a traceback, as `file:line`."""
    found = ""
    for frame, line in traceback.walk_tb(trace):
        if is_of_program(frame.f_code.co_filename):
            found = f"{PurePath(frame.f_code.co_filename).name}:{line}"
    return found


def is_of_program(file: str) -> bool:
    """Whether a file is the program's own, or a test's."""
    return not file.startswith((OURS, "<")) and is_own_file(file)
