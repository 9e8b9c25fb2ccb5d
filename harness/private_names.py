"""Private names of other packages that the simulation uses, and the check that they exist.

A simulation that replaces what a program sees must reach below public interfaces. A release of such a package may move a name;
then a run must not begin: it would fail with an unclear error or, worse, reach the real network. Each package is
checked once per process, before code that depends on it is used.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import platform
import sys
from typing import Any, NamedTuple

from harness.errors import HarnessError


class MissingName(HarnessError):  # noqa: N818 - names the condition
    """A private name that the simulation needs is not there in the installed version of a package."""

    def __init__(self, package: Package, missing: list[str]) -> None:
        super().__init__(package.name, missing)
        self.package = package
        self.missing = missing

    def __str__(self) -> str:
        package = self.package
        return (
            f"{package.name} {package.installed()} has no {', no '.join(self.missing)}\n"
            f"  what needs it: {package.use}\n"
            f"  supported:     {package.name} {package.supported}\n"
            f"  what to do:    {package.advice()}"
        )


class Package(NamedTuple):
    """A package, and what is used of it that it does not promise to keep."""

    name: str
    supported: str
    """The versions that the tests run with."""
    use: str
    """What stands on its names."""
    guard: str
    """The test that runs what stands on them."""
    names: tuple[str, ...]
    """Dotted, from the module on. `Class.method:name` is an attribute that the method sets or reads. `|` stands between names of
    which one is enough."""

    @property
    def is_python(self) -> bool:
        """Whether it comes with Python."""
        return self.name == "Python"

    def installed(self) -> str:
        """Its version here."""
        if self.is_python:
            return platform.python_version()
        try:
            return importlib.metadata.version(self.name)
        except importlib.metadata.PackageNotFoundError:
            return "of an unknown version"

    def advice(self) -> str:
        """What a user can do."""
        if self.is_python:
            return f"run it with Python {self.supported}, or with a newer version of multiagent-harness"
        return (
            f"install a supported version ({sys.executable} -m pip install '{self.name}{self.supported}'), "
            "or a newer version of multiagent-harness"
        )


PACKAGES: tuple[Package, ...] = (
    Package(
        "Python",
        ">=3.11,<3.14",
        "the asyncio loop in virtual time",
        "tests/kernel/test_loop.py",
        (
            "asyncio.BaseEventLoop.__init__:_ready",
            "asyncio.BaseEventLoop._run_once",
            "asyncio.BaseEventLoop._timer_handle_cancelled",
            "asyncio.Future._asyncio_future_blocking",
            "asyncio.Future._exception",
            "asyncio.Future._log_traceback",
            "asyncio.Future._loop",
            "asyncio.Handle._args",
            "asyncio.Handle._callback",
            "asyncio.Handle._cancelled",
            "asyncio.Handle._context",
            "asyncio.Queue.__init__:_unfinished_tasks",
            "asyncio.Semaphore.__init__:_value",
            "asyncio.Task._fut_waiter",
            "asyncio.Task._log_destroy_pending",
            "asyncio.TaskGroup.__init__:_tasks",
            "asyncio.Timeout.__init__:_task",
            "asyncio.events._get_running_loop",
            "asyncio.events._set_running_loop",
            "asyncio.tasks._GatheringFuture",
            "asyncio.tasks._scheduled_tasks|asyncio.tasks._all_tasks",
            "sys._getframe",
        ),
    ),
    Package(
        "Python",
        ">=3.11,<3.14",
        "virtual threads, processes, clocks and entropy",
        "tests/virtual/test_restored.py",
        (
            "asyncio.events._event_loop_policy",
            "asyncio.tasks._current_tasks",
            "asyncio.selector_events._SelectorDatagramTransport",
            "asyncio.selector_events._SelectorSocketTransport",
            "asyncio.sslproto._SSLProtocolTransport",
            "concurrent.futures.thread.ThreadPoolExecutor.__init__:_shutdown",
            "concurrent.futures.thread.ThreadPoolExecutor.__init__:_work_queue",
            "concurrent.futures.thread.ThreadPoolExecutor._counter",
            "asyncio.Future._callbacks",
            "concurrent.futures._base",
            "concurrent.futures._base.Future.__init__:_done_callbacks",
            "concurrent.futures.thread._WorkItem",
            "concurrent.futures.thread._threads_queues",
            "concurrent.futures.thread._worker",
            "functools._lru_cache_wrapper",
            "random._inst",
            "re._parser",
            "socket.socket._decref_socketios",
            "subprocess.Popen._internal_poll",
            "subprocess.Popen._stdin_write",
            "sys._current_frames",
            "tempfile._RandomNameSequence",
            "tempfile._get_candidate_names",
            "threading.Thread.__init__:_handle|threading.Thread.__init__:_tstate_lock",
            "threading.Thread.__init__:_started",
            "_multiprocessing.SemLock._is_mine",
            "logging._lock",
            "multiprocessing.synchronize.Condition.__init__:_lock",
            "multiprocessing.synchronize.SemLock.__init__:_semlock",
            "threading.Condition._is_owned",
            "threading._counter",
            "threading._dangling",
            "threading._limbo",
        ),
    ),
    Package(
        "simpy",
        ">=4.1,<5",
        "the clock of the kernel",
        "tests/kernel/test_clock.py",
        (
            "simpy.Environment.__init__:_eid",
            "simpy.Environment.__init__:_now",
            "simpy.Environment.__init__:_queue",
            "simpy.events.Event.succeed:_ok",
            "simpy.events.Event.succeed:_value",
        ),
    ),
    Package(
        "httpcore",
        ">=1.0,<2",
        "the simulated network under httpx, and with it nearly every SDK",
        "tests/wire/test_seams.py",
        (
            "httpcore._backends.auto.AutoBackend.connect_tcp",
            "httpcore._backends.sync.SyncBackend.connect_tcp",
            "httpcore.AsyncConnectionPool.__init__:_connections",
            "httpcore.AsyncConnectionPool.__init__:_requests",
            "httpcore.ConnectionPool.__init__:_connections",
            "httpcore.ConnectionPool.__init__:_requests",
        ),
    ),
    Package(
        "httpcore2",
        ">=2.0,<3",
        "the simulated network under httpx2",
        "tests/wire/test_seams.py",
        (
            "httpcore2._backends.auto.AutoBackend.connect_tcp",
            "httpcore2._backends.sync.SyncBackend.connect_tcp",
            "httpcore2.AsyncConnectionPool.__init__:_connections",
            "httpcore2.AsyncConnectionPool.__init__:_requests",
            "httpcore2.ConnectionPool.__init__:_connections",
            "httpcore2.ConnectionPool.__init__:_requests",
        ),
    ),
    Package(
        "aiohttp",
        ">=3.9,<4",
        "the simulated network under aiohttp",
        "tests/wire/test_seams.py",
        (
            "aiohttp.connector.BaseConnector.__init__:_acquired",
            "aiohttp.connector.BaseConnector.__init__:_acquired_per_host",
            "aiohttp.connector.BaseConnector.__init__:_conns",
            "aiohttp.connector.BaseConnector.__init__:_factory",
            "aiohttp.connector.BaseConnector.__init__:_waiters",
            "aiohttp.connector.TCPConnector._create_connection",
        ),
    ),
    Package(
        "urllib3",
        ">=1.26,<3",
        "the simulated network under requests",
        "tests/wire/test_seams.py",
        ("urllib3.connection.HTTPConnection._new_conn",),
    ),
    Package(
        "pytest",
        ">=8.2,<10",
        "short reports of failures, and the check of a test that is run again",
        "tests/plugin/test_failures.py",
        (
            "_pytest._code.code.ExceptionChainRepr",
            "_pytest._code.code.ReprEntry",
            "_pytest._code.code.ReprEntryNative",
            "_pytest._code.code.ReprTraceback",
            "_pytest.python.Function._initrequest",
            "_pytest.runner.runtestprotocol",
        ),
    ),
)


ASYNCIO, STANDARD_LIBRARY = PACKAGES[:2]
SIMPY, HTTPCORE, HTTPCORE2, AIOHTTP, URLLIB3, PYTEST = PACKAGES[2:]


@functools.cache
def check_private_names(package: Package) -> None:
    """Make sure that a package has the private names that the simulation uses; looked at once a process.

    Args:
        package: One of `PACKAGES`.

    Raises:
        MissingName: It has not.
    """
    missing = [name for name in package.names if not any(map(_exists, name.split("|")))]
    if missing:
        raise MissingName(package, missing)


def _exists(name: str) -> bool:
    dotted, _, attribute = name.partition(":")
    first, *rest = dotted.split(".")
    try:
        found: Any = importlib.import_module(first)
        path = first
        for part in rest:
            path = f"{path}.{part}"
            if isinstance(found, type):
                found = vars(found)[part]  # an inherited one would be another's
            else:
                # A module is an attribute of its package only when it has been imported to its end.
                loaded = hasattr(found, part)
                found = getattr(found, part) if loaded else importlib.import_module(path)
    except (ImportError, AttributeError, KeyError):
        return False
    return not attribute or attribute in found.__code__.co_names
