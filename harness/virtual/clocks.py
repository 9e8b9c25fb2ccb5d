"""Virtual `time` and `datetime` while a world is open.

The wall clock starts at `EPOCH_S`. The others start at 0, as `loop.time()` does: programs mix the two, as in
`loop.call_at(time.monotonic() + 5, ...)`, and sums with an offset would lose bits. `process_time` and `thread_time`
stay real: they measure what the computer did, and the simulated program is really computed. The time zone stays the
computer's, like every other part of the environment.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import logging
import sys
import time  # noqa: TID251 - to put stand-ins in its place
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import BuiltinMethodType, MethodType
from typing import Any

from harness.kernel.current_world import World, this_thread
from harness.virtual.patching import Attribute, StandIn, stand_in

EPOCH_S = 1_767_225_600.0
"""What `time.time()` says at virtual time 0: 2026-01-01T00:00:00Z [s since 1970]."""

_EPOCH_NS = int(EPOCH_S) * 10**9

# The originals, for what needs them inside a world.
_asctime, _ctime, _gmtime, _localtime, _strftime = (
    time.asctime,
    time.ctime,
    time.gmtime,
    time.localtime,
    time.strftime,
)

_gettime: Any = getattr(time, "clock_gettime", None)  # not on Windows
_gettime_ns: Any = getattr(time, "clock_gettime_ns", None)
_WALL = frozenset(
    getattr(time, name) for name in ("CLOCK_REALTIME", "CLOCK_TAI") if hasattr(time, name)
)
_OF_COMPUTER = frozenset(
    getattr(time, name)
    for name in ("CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID")
    if hasattr(time, name)
)
"""What they measure is real: see `process_time`."""


def _wall_s(world: World) -> float:
    skew_s = world.kernel.skew_s
    return EPOCH_S + world.now_s() + (0.0 if skew_s is None else skew_s())


def wall_ns(world: World) -> int:
    """The wall clock of a world [ns since 1970]."""
    skew_s = world.kernel.skew_s
    return _EPOCH_NS + _elapsed_ns(world) + (0 if skew_s is None else round(skew_s() * 10**9))


def _elapsed_ns(world: World) -> int:
    return round(world.now_s() * 10**9)


def _sleep(world: World, seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    world.block(seconds)


def _clock_s(world: World, clock: int) -> float:
    if clock in _OF_COMPUTER:
        return float(_gettime(clock))
    return _wall_s(world) if clock in _WALL else world.now_s()


def _clock_ns(world: World, clock: int) -> int:
    if clock in _OF_COMPUTER:
        return int(_gettime_ns(clock))
    return wall_ns(world) if clock in _WALL else _elapsed_ns(world)


def _local(world: World, seconds: float | None = None) -> time.struct_time:
    return _localtime(_wall_s(world) if seconds is None else seconds)


def _utc(world: World, seconds: float | None = None) -> time.struct_time:
    return _gmtime(_wall_s(world) if seconds is None else seconds)


def _text(world: World, seconds: float | None = None) -> str:
    return _ctime(_wall_s(world) if seconds is None else seconds)


def _text_of(world: World, moment: Any = None) -> str:  # noqa: ANN401 - a struct_time or a tuple of its fields
    return _asctime(_local(world) if moment is None else moment)


def _formatted(world: World, form: str, moment: Any = None) -> str:  # noqa: ANN401 - see above
    return _strftime(form, _local(world) if moment is None else moment)


STAND_INS: tuple[StandIn, ...] = (
    stand_in(time.time, _wall_s),
    stand_in(time.time_ns, wall_ns),
    stand_in(time.monotonic, World.now_s),
    stand_in(time.monotonic_ns, _elapsed_ns),
    stand_in(time.perf_counter, World.now_s),
    stand_in(time.perf_counter_ns, _elapsed_ns),
    stand_in(time.sleep, _sleep),
    stand_in(time.localtime, _local),
    stand_in(time.gmtime, _utc),
    stand_in(time.ctime, _text),
    stand_in(time.asctime, _text_of),
    stand_in(time.strftime, _formatted),
    *(
        stand_in(getattr(time, name), inside)
        for name, inside in (("clock_gettime", _clock_s), ("clock_gettime_ns", _clock_ns))
        if hasattr(time, name)  # not on Windows
    ),
)
"""The clocks of `time`, and `sleep`."""


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(logging, "_startTime", _EPOCH_NS if sys.version_info >= (3, 13) else EPOCH_S),
)
"""When the program began, for the `relativeCreated` of its log records."""


# -- datetime -----------------------------------------------------------------------------------------------

_fields: dict[str, Any] = gc.get_referents(datetime.datetime.__dict__)[0]
"""The own dictionary of the class, which is written in C and has no other way in. The class itself must stay: programs
inherit from it, ask `isinstance`, and have imported it by name."""

_real_now = datetime.datetime.__dict__["now"]
_real_utcnow = datetime.datetime.__dict__["utcnow"]
_from_timestamp = datetime.datetime.__dict__["fromtimestamp"]


def _now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> Any:  # noqa: ANN401 - an instance of cls
    world = this_thread.world
    if world is None:
        return _real_now.__get__(None, cls)(tz)
    return _from_timestamp.__get__(None, cls)(_wall_s(world), tz)


def _utcnow(cls: type[datetime.datetime]) -> Any:  # noqa: ANN401 - an instance of cls
    world = this_thread.world
    if world is None:
        return _real_utcnow.__get__(None, cls)()
    if sys.version_info >= (3, 12):
        warnings.warn(
            "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use "
            "timezone-aware objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
            DeprecationWarning,
            stacklevel=2,
        )
    return _from_timestamp.__get__(None, cls)(_wall_s(world), datetime.UTC).replace(tzinfo=None)


def stand_in_for_kept_now(value: object) -> Any:  # noqa: ANN401 - anything
    """What takes the place of a kept `datetime.now` or `utcnow`; None for anything else.

    Such a method is made anew each time it is asked for, so it is told by what it belongs to.
    """
    if type(value) is not BuiltinMethodType or value.__name__ not in ("now", "utcnow"):
        return None
    owner = value.__self__
    if not isinstance(owner, type) or not issubclass(owner, datetime.datetime):
        return None
    return MethodType(_now if value.__name__ == "now" else _utcnow, owner)


@contextmanager
def virtual_datetime() -> Iterator[None]:
    """Context manager: `datetime.now` and `utcnow` tell virtual time; `today`, which asks `time.time`, does so anyway."""
    _put(classmethod(_now), classmethod(_utcnow))
    try:
        yield
    finally:
        _put(_real_now, _real_utcnow)


def _put(now: object, utcnow: object) -> None:
    _fields["now"] = now
    _fields["utcnow"] = utcnow
    ctypes.pythonapi.PyType_Modified(
        ctypes.py_object(datetime.datetime)
    )  # attributes are looked up in a cache
