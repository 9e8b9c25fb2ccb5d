"""The process of a command: orderly end on signals, and output streams that accept any character."""

from __future__ import annotations

import gc
import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

import click

_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_AGAIN_WALL_S = 0.05
"""By then whatever could not be interrupted is over [real s]."""


@contextmanager
def own_process() -> Iterator[None]:
    """Context manager: signals that end a process unwind what is done, and streams take any text; then all is as before."""
    with ExitStack() as stack:
        for name in ("stdin", "stdout", "stderr"):
            stack.enter_context(_stream(name))
        stack.enter_context(_signals())
        yield


def interruption(error: BaseException) -> BaseException | None:
    """What a signal raised, if it is behind an error: some places make another error of whatever is raised there."""
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen:
        if isinstance(behind, KeyboardInterrupt | SystemExit):
            return behind
        seen.add(id(behind))
        behind = behind.__cause__ or behind.__context__
    return None


def say(text: str) -> None:
    """Print a message on standard error, if it can be written."""
    with suppress(OSError):
        click.echo(text, err=True)


def why_no_output() -> str | None:
    """Why the standard output cannot be written, such as a full disk; None if it takes an end of line."""
    try:
        sys.stdout.write("\n")  # what was written before may be forgotten already
        sys.stdout.flush()
    except OSError as error:
        return error.strerror or str(error)
    return None


def forget_output() -> None:
    """Discard unwritten output; otherwise Python would try to write it again at exit, and report an error."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


# -- streams ----------------------------------------------------------------------------------------------------------


@contextmanager
def _stream(name: str) -> Iterator[None]:
    """A standard stream that is there, and shows what its encoding has not instead of raising an error."""
    stream = getattr(sys, name)
    if stream is None:  # closed by the parent process; the next opened file would get its number
        with open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no path
            setattr(sys, name, nowhere)
            try:
                yield
            finally:
                setattr(sys, name, None)
    elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
        errors = stream.errors
        with suppress(OSError):  # what is in it cannot be written
            stream.reconfigure(errors="backslashreplace")
        try:
            yield
        finally:
            with suppress(OSError, ValueError):  # it cannot be written, or is closed
                stream.reconfigure(errors=errors)
    else:
        yield


# -- signals ----------------------------------------------------------------------------------------------------------


@contextmanager
def _signals() -> Iterator[None]:
    """Signals raise `KeyboardInterrupt`, or `SystemExit` with 128 and their number, as shells have it.

    What was interrupted is quiet about it. A signal that is ignored, as under nohup, stays ignored.
    """
    hook, log = sys.unraisablehook, logging.getLogger("asyncio")
    was_disabled = log.disabled
    came: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        came.append(number)
        log.disabled = True  # it would tell of every task that was left
        warnings.simplefilter("ignore")
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        number = _signal_of(args)
        if number is not None:
            threading.Timer(_AGAIN_WALL_S, os.kill, (os.getpid(), number)).start()
        elif not came:
            hook(args)

    is_main = (
        threading.current_thread() is threading.main_thread()
    )  # Python handles signals nowhere else
    handlers = {number: signal.getsignal(number) for number in _ENDING} if is_main else {}
    # None is a handler that is not Python's, and could not be put back.
    handled = {
        number: handler
        for number, handler in handlers.items()
        if handler not in (None, signal.SIG_IGN)
    }
    for number in handled:
        signal.signal(number, end)
    sys.unraisablehook = unraisable
    try:
        with warnings.catch_warnings():
            yield
            if came:
                gc.collect()  # what is left says what it has to say before anybody listens again
    finally:
        sys.unraisablehook = hook
        log.disabled = was_disabled
        for number, handler in handled.items():
            signal.signal(number, handler)


def _signal_of(unraisable: sys.UnraisableHookArgs) -> int | None:
    """The signal that came where Python lets nothing be raised, such as a `__del__`; it is to be sent again."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        return signal.SIGINT
    if issubclass(unraisable.exc_type, SystemExit):
        code = getattr(unraisable.exc_value, "code", None)
        return code - 128 if isinstance(code, int) and code - 128 in _ENDING else signal.SIGTERM
    return None
