"""Engines: where runs are executed. Each gives a `concurrent.futures.Executor`; nothing but the time depends on which.

processes                  processes of this machine, the default
dask                       a Dask cluster of this machine, with a worker for each job
dask://HOST:PORT           workers of a Dask cluster that is there
module:function            whatever the function returns: Parsl's executor, mpi4py.futures', one of your own
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

from harness.errors import HarnessError
from harness.run.pool import Start, fresh, process_pool
from harness.scenario.functions import is_function_name

_LOST: Final = frozenset({"KilledWorker", "CommClosedError", "WorkerLost", "ManagerLost"})
"""What engines raise whose worker is gone, by the class's name: their packages are not imported for it."""

_WORK: Final = "harness.sweep.work"
"""What workers do. It is not imported here: a process that has loaded NumPy has threads, and cannot be copied."""

_FOREIGN_JOBS: Final = 4
"""How many jobs an executor of unknown width is given at once, if nothing is said."""


class Engine(Protocol):
    """Where runs are executed."""

    @property
    def jobs(self) -> int:
        """How many runs at once."""

    def alone(self) -> Engine:
        """The same with one worker."""

    def executor(self) -> AbstractContextManager[Executor]:
        """An executor that lasts as long as the `with` block; asked for again when a worker was lost."""

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """Give up what an executor has not done yet; its `with` block ends then."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes of this machine."""

    jobs: int
    start: Start = field(default=fresh, compare=False)
    """How they start, which decides nothing else."""

    def alone(self) -> Engine:
        """See `Engine`."""
        return replace(self, jobs=1)

    def executor(self) -> AbstractContextManager[Executor]:
        """See `Engine`."""
        return process_pool(self.jobs, _WORK, self.start)

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """Nothing: processes end at once with their pool, and Python 3.11 complains about what was cancelled before."""


HERE: Final = Processes(1)
"""This process alone: runs are executed without an executor."""


@dataclass(frozen=True, slots=True)
class Dask:
    """Workers of a Dask cluster."""

    jobs: int
    address: str = ""
    """Of its scheduler; empty for a cluster of this machine, which is made."""

    def alone(self) -> Engine:
        """See `Engine`."""
        return replace(self, jobs=1)

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """See `Engine`."""
        distributed = _distributed()
        if self.address:
            try:
                client = distributed.Client(self.address, timeout=10)
            except OSError as error:
                raise HarnessError(
                    f"--engine dask://{self.address.removeprefix('tcp://')}: no Dask scheduler answers there\n"
                    "  How to fix: start one with `dask scheduler`, and workers with `dask worker HOST:PORT`"
                ) from error
            with client, client.get_executor(pure=False) as executor:
                yield executor
            return
        with (
            distributed.LocalCluster(
                n_workers=self.jobs, threads_per_worker=1, dashboard_address=None, silence_logs=50
            ) as cluster,
            distributed.Client(cluster) as client,
            client.get_executor(pure=False) as executor,
        ):
            yield executor

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """See `Engine`."""
        _cancel(futures)


@dataclass(frozen=True, slots=True)
class Named:
    """An executor that a function of the user's returns."""

    jobs: int
    name: str
    """`module:function`."""

    def alone(self) -> Engine:
        """See `Engine`."""
        return replace(self, jobs=1)

    def executor(self) -> AbstractContextManager[Executor]:
        """See `Engine`."""
        module, _, function = self.name.partition(":")
        try:
            with _present_folder_first():
                make: Any = getattr(importlib.import_module(module), function)
        except Exception as error:  # the module is the user's
            raise HarnessError(
                f"--engine {self.name}: {error!r}\n  How to fix: name a function of a module that can be imported from this folder"
            ) from error
        try:
            executor = make()
        except Exception as error:  # so is the function
            raise HarnessError(
                f"--engine {self.name} returned no executor: {error!r}\n  How to fix: see that it can be called here"
            ) from error
        if not isinstance(executor, Executor) and not hasattr(executor, "submit"):
            raise HarnessError(
                f"--engine {self.name} returned a {type(executor).__name__}, and no executor\n"
                "  How to fix: return a concurrent.futures.Executor"
            )
        return executor  # type: ignore[no-any-return]  # whoever looks like one is taken for one

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """See `Engine`."""
        _cancel(futures)


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for future in futures:
        future.cancel()


@contextmanager
def _present_folder_first() -> Iterator[None]:
    """Context manager: modules are looked for in the present folder first, as `python -m` does."""
    before = sys.path[:]
    sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def lasting(engine: Engine) -> Iterator[Engine]:
    """Context manager: an engine whose workers start at once and last as long as the block, for questions that are asked one after another."""
    if engine == HERE:
        yield engine
        return
    with ExitStack() as kept_open:
        kept = _Lasting(engine, kept_open)
        with kept.executor():
            pass
        yield kept


class _Lasting:
    """An engine whose executor outlasts the `with` blocks that ask for it.

    Args:
        engine: Who makes the executor: when it is first asked for, and again after an error or the loss of a worker.
        kept_open: Closes it.
    """

    def __init__(self, engine: Engine, kept_open: ExitStack) -> None:
        self.jobs = engine.jobs
        self._engine = engine
        self._open = kept_open
        self._executor: Executor | None = None

    def alone(self) -> Engine:
        """See `Engine`."""
        return self._engine.alone()

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """See `Engine`."""
        if self._executor is None:
            self._executor = self._open.enter_context(self._engine.executor())
        try:
            yield self._executor
        except BaseException as error:
            self._executor = None
            self._open.__exit__(type(error), error, error.__traceback__)
            raise

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """See `Engine`."""
        self._engine.abandon(futures)


def engine_of(name: str, jobs: int | None, most: int, start: Start = fresh) -> Engine:
    """The engine that a command names.

    Args:
        name: See the top of the file.
        jobs: How many runs at once; None for what fits.
        most: How many processes of this machine are worth it.
        start: How they start.

    Raises:
        HarnessError: There is no engine of this name.
    """
    if name == "processes":
        return Processes(jobs or most, start)
    if name == "dask":
        return Dask(jobs or most)
    if name.startswith("dask://"):
        address = name.removeprefix("dask://")
        host, _, port = address.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
            raise HarnessError(
                f"--engine {name}: this is no address of a scheduler\n"
                "  How to fix: write dask://HOST:PORT, such as dask://localhost:8786"
            )
        return Dask(jobs or _FOREIGN_JOBS, f"tcp://{address}")
    if is_function_name(name):
        return Named(jobs or _FOREIGN_JOBS, name)
    raise HarnessError(
        f"--engine {name}: there is no such engine\n"
        "  How to fix: write processes, dask, dask://HOST:PORT, or module:function for one of your own"
    )


def is_worker_lost(error: BaseException) -> bool:
    """Whether an error means that a worker is gone, and not that a run failed."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in _LOST


def _distributed() -> Any:  # noqa: ANN401 - a package that may not be there
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise HarnessError(
            "the engine dask needs the package distributed, which is not installed\n"
            "  How to fix: pip install 'multiagent-harness[dask]'"
        ) from error
