"""Thread programs drawn at random, and their logs: in virtual time, and on real threads and the real clock.

A program is a tree of steps. Threads, pools, timers and event loops run lists of steps and write into one log. Every wait
has a time-out, or something that is certain to end it, so that no program hangs in reality. A program whose log depends on
durations being exact is drawn again: reality knows no exact ones.
"""

# ruff: noqa: TID251 - the programs are drawn outside of any run, and read the clock inside
from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.kernel import Kernel
from harness.virtual.world import choose_order, run_program

Step = tuple[Any, ...]
Line = tuple[str, str, object]
"""Who, what, and what came of it."""

LEAVES = [
    "sleep",
    "set",
    "clear",
    "wait",
    "notify",
    "notify_all",
    "wait_notified",
    "count",
    "wait_count",
    "put",
    "get",
    "simple_put",
    "simple_get",
    "barrier",
    "hold",
    "try_lock",
    "again",
    "permit",
]
BRANCHES = [
    "spawn",
    "pool",
    "pool_first",
    "pool_cancel",
    "timer",
    "loop",
    "other_loop",
    "home_loop",
]
UNDER_A_LOCK = ["sleep", "set", "notify", "put", "simple_put", "count"]
"""What takes no second lock for long, so that nothing deadlocks."""

LOCKS = 3
LONGEST = 24
DEPTH = 2
JITTER = 0.3
"""How inexact durations may be without a change of the log."""
VARIATIONS = 10
"""How often that is tried."""


# -- drawing --------------------------------------------------------------------------------------------------


class Drawn:
    """Draws one program.

    Args:
        number: Which; the same number is the same program on every Python.
    """

    def __init__(self, number: int) -> None:
        self._rng = random.Random(number)
        self._left: list[int] = []

    def program(self) -> list[Step]:
        """The steps of the main thread."""
        self._left.clear()
        threads = [self._spawn(DEPTH) for _ in range(self._rng.randint(2, 3))]
        return [*threads, *self._steps(DEPTH, self._rng.randint(1, 3))]

    def _duration(self) -> int:
        if not self._left:
            self._left = self._rng.sample(range(1, LONGEST + 1), LONGEST)
        return self._left.pop()

    def _steps(self, depth: int, number: int) -> list[Step]:
        steps = [self._step(depth) for _ in range(number)]
        # Who goes first when a thread starts is a race; there should not be many of them.
        return [("sleep", self._duration()), *steps] if self._rng.random() < 0.8 else steps

    def _step(self, depth: int) -> Step:
        if depth == 0 or self._rng.random() < 0.7:
            return self._leaf(self._rng.choice(LEAVES))
        return self._branch(self._rng.choice(BRANCHES), depth - 1)

    def _leaf(self, kind: str) -> Step:
        rng = self._rng
        match kind:
            case "set" | "clear":
                return kind, rng.randrange(2)
            case "wait":
                return kind, rng.randrange(2), self._duration()
            case "notify":
                return kind, rng.randint(1, 2)
            case "put":
                return kind, rng.randrange(100), self._duration()
            case "simple_put":
                return kind, rng.randrange(100)
            case "wait_count":
                return kind, rng.randint(1, 2), self._duration()
            case "hold":
                inner = [self._leaf(rng.choice(UNDER_A_LOCK)) for _ in range(rng.randint(1, 2))]
                return kind, sorted(rng.sample(range(LOCKS), rng.randint(1, 2))), inner
            case "try_lock":
                return kind, rng.randrange(LOCKS), self._duration(), self._duration()
            case "notify_all" | "count":
                return (kind,)
        return kind, self._duration()

    def _branch(self, kind: str, depth: int) -> Step:
        rng = self._rng
        jobs = [self._steps(depth, rng.randint(1, 2)) for _ in range(rng.randint(2, 3))]
        match kind:
            case "spawn":
                return self._spawn(depth)
            case "pool":
                return kind, rng.randint(1, 3), rng.choice(["map", "results", "completed"]), jobs
            case "pool_first" | "pool_cancel":
                return kind, rng.randint(1, 2), self._duration(), jobs
            case "timer":
                cancelled = self._duration() if rng.random() < 0.5 else None
                return kind, self._duration(), cancelled, jobs[0]
        return kind, self._duration(), self._duration(), jobs

    def _spawn(self, depth: int) -> Step:
        patience = self._duration() if self._rng.random() < 0.3 else None
        return "spawn", self._steps(depth, self._rng.randint(2, 3)), patience


# -- running --------------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """What the threads of one run share.

    Args:
        seconds: What a duration is [s].
    """

    seconds: Callable[[int], float]
    began_s: float = field(default_factory=lambda: time.monotonic())  # noqa: PLW0108 - looked up in the run
    log: list[tuple[float, Line]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    latest_s: float = 0.0
    """By how much a sleep was too long at most [s]."""
    locks: list[Any] = field(default_factory=lambda: [threading.Lock() for _ in range(LOCKS)])
    again: Any = field(default_factory=threading.RLock)
    permits: Any = field(default_factory=lambda: threading.BoundedSemaphore(2))
    events: list[Any] = field(default_factory=lambda: [threading.Event() for _ in range(2)])
    changed: threading.Condition = field(default_factory=threading.Condition)
    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))
    items: queue.Queue[int] = field(default_factory=lambda: queue.PriorityQueue(2))
    simple: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    counted: int = 0

    def run(self, program: list[Step]) -> None:
        """Run a program to the end of all that it starts."""
        self.steps("main", program)
        for thread in self.threads:  # what these start is appended meanwhile
            thread.join()

    def steps(self, who: str, steps: list[Step]) -> str:
        """Run steps one after another."""
        for number, (kind, *said) in enumerate(steps):
            name = f"{who}.{number}"
            self.note(name, kind, getattr(self, f"_{kind}")(name, *said))
        return who

    def note(self, who: str, what: str, value: object) -> None:
        """Write a line into the log."""
        self.log.append((time.monotonic() - self.began_s, (who, what, value)))

    # -- what waits, and what ends it -------------------------------------------------------------------------

    def _sleep(self, _: str, duration: int) -> None:
        wanted_s, began_s = self.seconds(duration), time.monotonic()
        time.sleep(wanted_s)
        self.latest_s = max(self.latest_s, time.monotonic() - began_s - wanted_s)

    def _set(self, _: str, which: int) -> None:
        self.events[which].set()

    def _clear(self, _: str, which: int) -> None:
        self.events[which].clear()

    def _wait(self, _: str, which: int, at_most: int) -> bool:
        was_set: bool = self.events[which].wait(self.seconds(at_most))
        return was_set

    def _notify(self, _: str, number: int) -> None:
        with self.changed:
            self.changed.notify(number)

    def _notify_all(self, _: str) -> None:
        with self.changed:
            self.changed.notify_all()

    def _wait_notified(self, _: str, at_most: int) -> bool:
        with self.changed:
            return self.changed.wait(self.seconds(at_most))

    def _count(self, _: str) -> int:
        with self.changed:
            self.counted += 1
            self.changed.notify_all()
            return self.counted

    def _wait_count(self, _: str, number: int, at_most: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.counted >= number, self.seconds(at_most))

    def _put(self, _: str, item: int, at_most: int) -> str:
        try:
            self.items.put(item, timeout=self.seconds(at_most))
        except queue.Full:
            return "full"
        return "put"

    def _get(self, _: str, at_most: int) -> object:
        try:
            return self.items.get(timeout=self.seconds(at_most))
        except queue.Empty:
            return "empty"

    def _simple_put(self, _: str, item: int) -> None:
        self.simple.put(item)

    def _simple_get(self, _: str, at_most: int) -> object:
        try:
            return self.simple.get(timeout=self.seconds(at_most))
        except queue.Empty:
            return "empty"

    def _barrier(self, _: str, at_most: int) -> object:
        try:
            return self.barrier.wait(self.seconds(at_most))
        except threading.BrokenBarrierError:
            return "broken"

    def _hold(self, who: str, which: list[int], inner: list[Step]) -> None:
        with self.locks[which[0]]:
            self.note(who, "took", which[0])
            if which[1:]:
                self._hold(who, which[1:], inner)
            else:
                self.steps(who, inner)

    def _try_lock(self, who: str, which: int, at_most: int, duration: int) -> bool:
        if not self.locks[which].acquire(timeout=self.seconds(at_most)):
            return False
        self.note(who, "took", which)
        self._sleep(who, duration)
        self.locks[which].release()
        return True

    def _again(self, who: str, duration: int) -> None:
        with self.again, self.again:
            self.note(who, "took", "again")
            self._sleep(who, duration)

    def _permit(self, who: str, duration: int) -> None:
        with self.permits:
            self.note(who, "took", "a permit")
            self._sleep(who, duration)

    # -- threads, pools, timers -------------------------------------------------------------------------------

    def _spawn(self, who: str, steps: list[Step], patience: int | None) -> object:
        thread = threading.Thread(target=self.steps, args=(f"{who}t", steps))
        self.threads.append(thread)
        thread.start()
        if patience is None:
            return "started"
        thread.join(self.seconds(patience))
        return thread.is_alive()

    def _jobs(self, who: str, jobs: list[list[Step]]) -> Iterator[Callable[[], str]]:
        return (partial(self.steps, f"{who}j{number}", job) for number, job in enumerate(jobs))

    def _pool(self, who: str, workers: int, how: str, jobs: list[list[Step]]) -> object:
        with ThreadPoolExecutor(
            workers, initializer=self.note, initargs=(who, "worker", 0)
        ) as pool:
            if how == "map":
                return list(pool.map(lambda job: job(), self._jobs(who, jobs)))
            given = [pool.submit(job) for job in self._jobs(who, jobs)]
            for future in futures.as_completed(given) if how == "completed" else given:
                self.note(who, "result", future.result())
        return None

    def _pool_first(self, who: str, workers: int, at_most: int, jobs: list[list[Step]]) -> object:
        with ThreadPoolExecutor(workers) as pool:
            given = [pool.submit(job) for job in self._jobs(who, jobs)]
            done, _ = futures.wait(given, self.seconds(at_most), futures.FIRST_COMPLETED)
            self.note(who, "first", sorted(future.result() for future in done))
            try:
                return given[-1].result(self.seconds(at_most))
            except TimeoutError:
                return "late"

    def _pool_cancel(self, who: str, workers: int, after: int, jobs: list[list[Step]]) -> object:
        pool = ThreadPoolExecutor(workers)
        given = [pool.submit(job) for job in self._jobs(who, jobs)]
        self._sleep(who, after)
        self.note(who, "cancelled", given[-1].cancel())
        pool.shutdown(cancel_futures=True)
        return [future.cancelled() for future in given]

    def _timer(self, who: str, after: int, cancelled_after: int | None, steps: list[Step]) -> None:
        timer = threading.Timer(self.seconds(after), self.steps, (f"{who}t", steps))
        self.threads.append(timer)
        timer.start()
        if cancelled_after is not None:
            self._sleep(who, cancelled_after)
            timer.cancel()

    # -- event loops ------------------------------------------------------------------------------------------

    def _loop(self, who: str, one: int, other: int, jobs: list[list[Step]]) -> object:
        async def sleeps() -> str:
            lock = asyncio.Lock()
            async with lock:
                await asyncio.sleep(self.seconds(one))
            self.note(who, "slept", one)
            return "slept"

        async def main() -> list[object]:
            first, *rest = self._jobs(who, jobs)
            in_pool = asyncio.get_running_loop().run_in_executor(None, first)
            threads = [asyncio.to_thread(job) for job in rest]
            try:
                await asyncio.wait_for(asyncio.sleep(self.seconds(one)), self.seconds(other))
            except TimeoutError:
                self.note(who, "timed out", other)
            return [*await asyncio.gather(sleeps(), in_pool, *threads)]

        return asyncio.run(main())

    def _other_loop(self, who: str, one: int, other: int, _: object) -> object:
        """A loop in a thread of its own, which this one gives work."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        asked = asyncio.run_coroutine_threadsafe(asyncio.sleep(self.seconds(one), "slept"), loop)
        try:
            answer = asked.result(self.seconds(other))
        except TimeoutError:
            answer = str(asked.cancel())
        told = threading.Event()
        loop.call_soon_threadsafe(told.set)
        told.wait()
        self.note(who, "told", answer)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        return answer

    def _home_loop(self, who: str, one: int, other: int, jobs: list[list[Step]]) -> object:
        """A thread that gives work to the loop that started it."""

        async def at_home() -> str:
            await asyncio.sleep(self.seconds(one))
            self.note(who, "at home", one)
            return "home"

        async def main() -> object:
            loop = asyncio.get_running_loop()

            def calls_home() -> str:
                time.sleep(self.seconds(other))
                return asyncio.run_coroutine_threadsafe(at_home(), loop).result()

            (job, *_) = self._jobs(who, jobs)
            return [*await asyncio.gather(asyncio.to_thread(calls_home), asyncio.to_thread(job))]

        return asyncio.run(main())


# -- logs -----------------------------------------------------------------------------------------------------


Log = list[tuple[float, Line]]
"""What happened, and when [s]."""


@functools.cache
def drawn(number: int) -> list[Step]:
    """A program whose log stays the same if all its durations are a little shorter or longer.

    Args:
        number: Which.
    """
    draws = Drawn(number)
    while True:
        program = draws.program()
        log = lines(_log(program, float))
        if all(lines(_log(program, _inexact(seed))) == log for seed in range(VARIATIONS)):
            return program


def _inexact(seed: int) -> Callable[[int], float]:
    rng = random.Random(seed)
    return lambda duration: duration + rng.uniform(-JITTER, JITTER)


def _log(program: list[Step], seconds: Callable[[int], float], order: int | None = None) -> Log:
    kernel = Kernel()
    if order is not None:
        choose_order(kernel, order)

    def main() -> Log:
        stage = Stage(seconds)
        stage.run(program)
        return stage.log

    return run_program(kernel, main, seed=1)


def simulated(number: int, *, order: int | None = None) -> Log:
    """The log of a program in virtual time.

    Args:
        number: Which program.
        order: The seed that chooses who goes next; None means who came first.
    """
    return _log(drawn(number), float, order)


def real(number: int, unit_s: float) -> tuple[list[Line], bool]:
    """The log of a program on real threads and the real clock, and whether the machine kept the time.

    It did if no sleep was longer by more than what may change without a change of the log.

    Args:
        number: Which program.
        unit_s: What a duration of 1 is [s].
    """
    program = drawn(number)
    stage = Stage(lambda duration: duration * unit_s)
    stage.run(program)
    return lines(stage.log), stage.latest_s <= JITTER * unit_s


def lines(log: Log) -> list[Line]:
    """A log without its times."""
    return [line for _, line in log]


def digest(program: list[Step]) -> str:
    """What two logs have in common only if they are the same, times included."""
    return hashlib.sha256(repr(_log(program, float)).encode()).hexdigest()[:16]


if __name__ == "__main__":
    json.dump([digest(program) for program in json.load(sys.stdin)], sys.stdout)
