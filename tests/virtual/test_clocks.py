"""What a program sees of time while its world is open: `time`, `datetime`, and names that it imported before."""

# ruff: noqa: ANN401, ASYNC251, DTZ005, DTZ011, TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import datetime
import logging
import time
import warnings
from collections.abc import Callable
from time import monotonic, sleep
from types import ModuleType
from typing import Any

import pytest

from harness.errors import LimitExceeded
from harness.kernel import Kernel, current_world
from harness.virtual.clocks import EPOCH_S
from harness.virtual.world import run_program

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def simulated(program: Callable[[], Any]) -> Any:
    return run_program(Kernel(), program, seed=1)


# -- time -------------------------------------------------------------------------------------------


def test_epoch_is_new_year_2026() -> None:
    assert datetime.datetime.fromtimestamp(EPOCH_S, datetime.UTC) == NEW_YEAR


def test_wall_clock_starts_at_the_epoch_and_the_others_at_zero_as_the_loops_does() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        return [time.time() - EPOCH_S, time.monotonic(), time.perf_counter(), loop.time()]

    assert simulated(main) == [0, 0, 0, 0]


def test_all_clocks_move_with_virtual_time() -> None:
    async def main() -> list[float]:
        await asyncio.sleep(7.25)
        return [
            time.time() - EPOCH_S,
            time.monotonic(),
            time.perf_counter(),
            (time.time_ns() - int(EPOCH_S) * 10**9) / 1e9,
            time.monotonic_ns() / 1e9,
            time.perf_counter_ns() / 1e9,
        ]

    assert simulated(main) == [7.25] * 6


def test_clocks_in_nanoseconds_are_whole_numbers() -> None:
    async def main() -> list[int]:
        await asyncio.sleep(0.1)
        return [time.time_ns() - int(EPOCH_S) * 10**9, time.monotonic_ns(), time.perf_counter_ns()]

    assert simulated(main) == [100_000_000] * 3


def test_calendar_functions_without_an_argument_tell_virtual_time() -> None:
    def main() -> list[object]:
        time.sleep(60)
        moment = EPOCH_S + 60
        return [
            time.gmtime() == time.gmtime(moment),
            time.localtime() == time.localtime(moment),
            time.ctime() == time.ctime(moment),
            time.asctime() == time.asctime(time.localtime(moment)),
            time.strftime("%c") == time.strftime("%c", time.localtime(moment)),
            time.gmtime().tm_min,
        ]

    assert simulated(main) == [True, True, True, True, True, 1]


def test_calendar_functions_with_an_argument_do_what_they_always_do() -> None:
    def main() -> tuple[int, str]:
        return time.gmtime(0).tm_year, time.strftime("%Y", time.gmtime(86_400 * 366))

    assert simulated(main) == (1970, "1971")


def test_clocks_of_the_processor_stay_real() -> None:
    def main() -> float:
        began_s = time.process_time()
        sum(range(300_000))
        return time.process_time() - began_s

    assert simulated(main) > 0


def test_program_that_polls_the_clock_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_world, "CLOCK_READS_PER_TURN", 1000)

    def polls() -> None:
        end_s = time.monotonic() + 1
        while time.monotonic() < end_s:
            pass

    def waits() -> float:
        end_s = time.monotonic() + 1
        while time.monotonic() < end_s:
            time.sleep(0.0005)
        return time.monotonic()

    with pytest.raises(LimitExceeded, match="clock_reads_per_turn"):
        simulated(polls)
    assert simulated(waits) == pytest.approx(1, abs=0.001)


# -- names captured before --------------------------------------------------------------------------


def test_names_that_were_imported_before_are_virtual_too() -> None:
    def main() -> float:
        sleep(3)
        return monotonic()

    assert simulated(main) == 3


def test_names_are_the_real_functions_again_afterwards() -> None:
    before = (monotonic, sleep, time.time, datetime.datetime.__dict__["now"])
    simulated(lambda: time.sleep(1))
    assert (monotonic, sleep, time.time, datetime.datetime.__dict__["now"]) == before
    assert monotonic.__class__.__name__ == "builtin_function_or_method"


def test_module_imported_in_a_run_has_the_real_functions_afterwards_and_virtual_ones_in_the_next(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_late.py").write_text("from time import monotonic, sleep\n")
    monkeypatch.syspath_prepend(tmp_path)

    def main() -> tuple[float, ModuleType]:
        import imported_late  # type: ignore[import-not-found]

        imported_late.sleep(2)
        return imported_late.monotonic(), imported_late

    for _ in range(2):
        seconds, module = simulated(main)
        assert seconds == 2
        assert module.monotonic is time.monotonic
        assert module.sleep is time.sleep


def test_function_that_became_an_attribute_of_a_class_in_a_run_is_not_bound_to_its_objects() -> (
    None
):
    def main() -> type:
        class Stopwatch:
            clock: Any = time.monotonic

        assert Stopwatch().clock() == 0
        return Stopwatch

    stopwatch = simulated(main)
    assert stopwatch().clock() > 0  # it reads the real clock by now


def test_records_of_the_log_carry_virtual_time(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        await asyncio.sleep(5)
        logging.getLogger("program").warning("five seconds later")

    simulated(main)
    assert caplog.records[-1].created == EPOCH_S + 5


# -- datetime ---------------------------------------------------------------------------------------


class Stamp(datetime.datetime):
    """As `pendulum` and `freezegun` have them."""


def test_now_tells_virtual_time_in_the_zone_that_is_asked_for() -> None:
    tokyo = datetime.timezone(datetime.timedelta(hours=9))

    async def main() -> list[datetime.datetime]:
        await asyncio.sleep(1.5)
        return [
            datetime.datetime.now(datetime.UTC),
            datetime.datetime.now(tz=tokyo),
            datetime.datetime.now().astimezone(datetime.UTC),
            datetime.datetime.today().astimezone(datetime.UTC),
        ]

    moments = simulated(main)
    assert moments == [NEW_YEAR + datetime.timedelta(seconds=1.5)] * 4
    assert moments[1].tzinfo is tokyo


def test_utcnow_is_naive_and_in_utc() -> None:
    def main() -> datetime.datetime:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12
            return datetime.datetime.utcnow()  # noqa: DTZ003 - what is tested

    assert simulated(main) == NEW_YEAR.replace(tzinfo=None)


def test_day_follows_virtual_time() -> None:
    def main() -> tuple[datetime.date, datetime.date]:
        before = datetime.date.today()
        time.sleep(86_400)
        return before, datetime.date.today()

    before, after = simulated(main)
    assert after - before == datetime.timedelta(days=1)


def test_classes_stay_what_they_are() -> None:
    """Programs ask `isinstance`, and pydantic compares the class itself."""
    kind = datetime.datetime

    def main() -> list[bool]:
        now = datetime.datetime.now()
        return [datetime.datetime is kind, type(now) is kind, isinstance(now, datetime.date)]

    assert simulated(main) == [True, True, True]


def test_subclass_gets_instances_of_its_own() -> None:
    def main() -> list[type]:
        return [type(Stamp.now()), type(Stamp.now(datetime.UTC)), type(Stamp.today())]

    assert simulated(main) == [Stamp, Stamp, Stamp]
    assert type(Stamp.now()) is Stamp  # and the real one does so too


def test_this_python_lets_us_into_the_class_datetime() -> None:
    """A canary: `datetime` is written in C, and only its own dictionary lets its `now` be replaced.

    If it fails on a new version of Python, `harness.virtual.clocks` needs another way in; until then programs would see
    the real date inside a run.
    """
    assert simulated(lambda: datetime.datetime.now(datetime.UTC)) == NEW_YEAR
    assert datetime.datetime.now(datetime.UTC) > NEW_YEAR
    assert datetime.datetime.__dict__["now"].__class__.__name__ == "classmethod_descriptor"


# -- blocking sleeps --------------------------------------------------------------------------------


def test_sleep_of_a_synchronous_program_lets_events_of_the_kernel_happen() -> None:
    kernel = Kernel()
    log: list[float] = []
    for delay_s in (1, 3, 9):
        kernel.env.timeout(delay_s).callbacks.append(lambda _: log.append(kernel.now_s()))
    run_program(kernel, lambda: time.sleep(5), seed=1)
    assert log == [1, 3]
    assert kernel.now_s() == 5


def test_sleep_in_async_code_blocks_its_loop_and_nothing_else() -> None:
    kernel = Kernel()
    log: list[tuple[str, float]] = []
    kernel.env.timeout(2).callbacks.append(lambda _: log.append(("event", kernel.now_s())))

    async def other() -> None:
        await asyncio.sleep(1)
        log.append(("other task", time.monotonic()))

    async def main() -> None:
        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        time.sleep(5)
        log.append(("main", time.monotonic()))
        await task

    run_program(kernel, main, seed=1)
    assert log == [("event", 2), ("main", 5), ("other task", 5)]


def test_sleep_of_less_than_nothing_is_an_error_as_always() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        simulated(lambda: time.sleep(-1))


def test_sleep_of_nothing_takes_no_time() -> None:
    kernel = Kernel()
    run_program(kernel, lambda: time.sleep(0), seed=1)
    assert kernel.now_s() == 0


def test_sleeps_that_block_and_sleeps_that_do_not_add_up() -> None:
    async def main() -> float:
        await asyncio.sleep(1)
        time.sleep(1)
        await asyncio.sleep(1)
        return time.monotonic()

    assert simulated(main) == 3
