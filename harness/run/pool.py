"""Processes of this machine that do runs: deaf to what interrupts their parent, and ended at once; what is said when they cannot start."""

from __future__ import annotations

import importlib
import multiprocessing
import multiprocessing.resource_tracker
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.context import BaseContext, SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

from harness.errors import HarnessError
from harness.run.undisturbed import ENDING, undisturbed

T = TypeVar("T")
P = ParamSpec("P")

_NAME: Final = "harness-worker"
"""What the name of a process begins with."""

_BEGUN_AGAIN: Final = 79
"""Exit code of a process that was about to start processes itself, because it imported the program that started it."""

_KILLED: Final = -9

_ONE_PROCESS: Final = "or do the runs in this process: --jobs 1, `jobs=1`, `Processes(1)`"

_GUARD: Final = (
    "this program starts worker processes whenever it is imported, and each worker imports it\n"
    "  How to fix: put what it starts below `if __name__ == '__main__':`, " + _ONE_PROCESS
)


class _Worker(BaseProcess):
    def __init__(self, *args: Any, **keywords: Any) -> None:  # noqa: ANN401 - they are passed on
        super().__init__(*args, **keywords)
        self.name = f"{_NAME}-{self.name}"

    def terminate(self) -> None:
        """End the process. It ignores SIGTERM, with which a pool that has lost a process ends the others before it waits for them."""
        self.kill()


class _FreshWorker(_Worker, SpawnProcess):
    pass


class _Fresh(SpawnContext):
    Process = _FreshWorker


if sys.platform == "linux":
    from multiprocessing.context import ForkContext, ForkProcess

    class _CopiedWorker(_Worker, ForkProcess):
        pass

    class _Copied(ForkContext):
        Process = _CopiedWorker


Start = Callable[[], BaseContext]
"""How processes start."""


def fresh() -> BaseContext:
    """Processes that have nothing of this one: each imports harness, and the program that runs here.

    Raises:
        HarnessError: This program cannot be imported by others.
    """
    _check_program()
    return _Fresh()


def copied() -> BaseContext:
    """Processes that are copies of this one, where that is safe; else fresh ones.

    A copy need not import harness, which takes half a second of CPU. It is safe on Linux while there is one thread: of others
    there would be no copy, and what they have locked would stay locked. Only for programs of harness's own: of a user's program,
    nobody knows what it has open.
    """
    if sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1:
        return _Copied()
    return fresh()


class _Pool(ProcessPoolExecutor):
    """An executor of fresh processes, all of which start with its `with` block.

    Args:
        jobs: How many processes.
        module: What they import before anything is asked of them.
        start: How they start.
    """

    def __init__(self, jobs: int, module: str, start: Start) -> None:
        self._jobs, self._module = jobs, module
        self._first: list[Future[None]] = []
        self._workers: list[BaseProcess] = []
        with undisturbed(), _signals_kept_from_children():
            super().__init__(jobs, mp_context=start(), initializer=_begin_worker)

    def __enter__(self) -> _Pool:
        try:
            self._first += [self.submit(_load, self._module) for _ in range(self._jobs)]
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        if isinstance(error, BrokenProcessPool) and not any(map(_is_done, self._first)):
            raise HarnessError(_why_not_started(self._workers)) from None

    def submit(self, call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> Future[T]:
        """Do a call in a process.

        Raises:
            HarnessError: It cannot be sent, or no process can be started.
        """
        try:
            packed = pickle.dumps((call, args, keywords))
        except Exception as error:  # parts of it are the user's
            raise HarnessError(
                f"this cannot be sent to a worker process: {error}\n"
                "  How to fix: define classes and functions at the top of a module, " + _ONE_PROCESS
            ) from error
        try:
            # A process is started if none is idle; half started, it would print a traceback, or be lost.
            with undisturbed(), _signals_kept_from_children():
                return super().submit(_unpacked, packed)
        except OSError as error:
            raise HarnessError(
                f"no worker process can be started: {error.strerror or error}\n"
                "  How to fix: raise the limits of memory and processes, start fewer with --jobs, "
                + _ONE_PROCESS
            ) from error

    def stop(self) -> None:
        """End the processes at once, in the middle of what they do; others of this process are left alone."""
        # There is no public way before Python 3.14 to name its processes, nor one to say that queued work will not be read and that
        # an answer which was cut off by the end of a process will not be completed: both would be waited for.
        self._note_workers()
        self._call_queue.cancel_join_thread()  # type: ignore[attr-defined]
        self._result_queue._writer.close()  # type: ignore[attr-defined]  # noqa: SLF001
        for worker in self._workers:
            worker.kill()
        # Nothing is cancelled: Python 3.11 complains, in a thread of its own, about what was cancelled when processes end.
        self.shutdown(wait=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the executor's own
        """See `concurrent.futures.Executor`."""
        self._note_workers()
        super().shutdown(wait, cancel_futures=cancel_futures)

    def _note_workers(self) -> None:
        self._workers = list((self._processes or {}).values()) or self._workers


def processes(jobs: int) -> ProcessPoolExecutor:
    """An executor of fresh processes; nothing of this one's state reaches them.

    Raises:
        HarnessError: They cannot be started; told by the executor's `with` block too.
    """
    return _Pool(jobs, __name__, fresh)


@contextmanager
def process_pool(
    jobs: int, module: str = __name__, start: Start = fresh
) -> Iterator[ProcessPoolExecutor]:
    """Context manager: an executor of processes, which end at once with the block, in the middle of what they do.

    Args:
        jobs: How many.
        module: What they import while they start.
        start: How they start.

    Raises:
        HarnessError: They cannot be started.
    """
    with _Pool(jobs, module, start) as executor:
        try:
            yield executor
        finally:
            executor.stop()


@contextmanager
def _signals_kept_from_children() -> Iterator[None]:
    """Context manager: children inherit blocked signals. A signal to the process group is handled by the parent, which ends its children."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        # It is started with the first process, and inherits what is blocked as well; but then some is unblocked here.
        multiprocessing.resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- processes that cannot start --------------------------------------------------------------------------------------


def _check_program() -> None:
    """Check that workers can import the program that runs here, as they do before anything else."""
    here = multiprocessing.current_process()
    if getattr(here, "_inheriting", False):  # what multiprocessing itself looks at
        if here.name.startswith(_NAME):
            os._exit(_BEGUN_AGAIN)  # quietly: the parent tells
        raise HarnessError(_GUARD)
    program = sys.modules["__main__"]
    file = getattr(program, "__file__", None)
    if getattr(program, "__spec__", None) is None and file and not Path(file).exists():
        raise HarnessError(
            f"worker processes import the program that starts them, and there is no file {file}\n"
            "  How to fix: start Python with the program's file, " + _ONE_PROCESS
        )


def _is_done(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _why_not_started(workers: list[BaseProcess]) -> str:
    codes = [worker.exitcode for worker in workers if worker.exitcode]
    if _BEGUN_AGAIN in codes:
        return _GUARD
    # A pool that has lost a process kills the others.
    code = next((code for code in codes if code != _KILLED), _KILLED)
    how = (
        f"with exit code {code}; what it has printed stands above"
        if code >= 0
        else f"by {_signal(-code)}"
    )
    return (
        f"no worker process could start: one ended {how}\n"
        "  Why: a worker imports harness and the program that starts it, and one of them failed, or memory ran out\n"
        f"  How to fix: see that `import {_module()}` works by itself, start fewer with --jobs, " + _ONE_PROCESS
    )  # fmt: skip


def _module() -> str:
    """What workers import of the program that runs here."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return Path(file).stem if file else "harness"


def _signal(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


# -- in a worker ------------------------------------------------------------------------------------------------------


def _load(module: str) -> None:
    importlib.import_module(module)


def _unpacked(packed: bytes) -> Any:  # noqa: ANN401 - whatever the call returns
    """Do a call that was sent."""
    try:
        call, args, keywords = pickle.loads(packed)  # noqa: S301 - it comes from the parent
    except Exception as error:  # noqa: BLE001 - parts of it are the user's
        raise HarnessError(
            f"a worker process cannot find what was sent to it: {error}\n"
            "  How to fix: define classes and functions in a module that can be imported, " + _ONE_PROCESS
        ) from None  # fmt: skip
    return call(*args, **keywords)


def _begin_worker() -> None:
    """Leave it to the parent when to end, and end with it whatever ends it."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
