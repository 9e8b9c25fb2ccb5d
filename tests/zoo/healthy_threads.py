"""Steps of healthy programs of threads and blocking clients."""

# ruff: noqa: TID251 - programs as users write them
from __future__ import annotations

import queue
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.zoo import healthy
from tests.zoo.asking import CALL_ERRORS, ask_blocking
from tests.zoo.healthy import BlockingStep, Stage


def pooled(rng: random.Random) -> BlockingStep:
    """Calls in a pool; each answer is kept with its question."""
    number = rng.randint(2, 5)

    def step(stage: Stage, pool: ThreadPoolExecutor) -> None:
        asked = {
            pool.submit(ask_blocking, stage.client, "worker", f"part {part}"): part
            for part in range(number)
        }
        ends: dict[int, str] = {}
        for future in as_completed(asked):
            try:
                ends[asked[future]] = future.result()
            except CALL_ERRORS:
                ends[asked[future]] = "none"
        stage.note("each part has an end", holds=sorted(ends) == list(range(number)))

    return step


def counted(rng: random.Random) -> BlockingStep:
    """Threads that change one number, under a lock from reading to writing."""
    agents, pause_s = rng.sample(healthy.AGENTS, 2), rng.uniform(0, 4)

    def step(stage: Stage, _: ThreadPoolExecutor) -> None:
        budget = {"spent": 0, "calls": 0}
        lock = threading.Lock()

        def spend(who: str, after_s: float) -> None:
            time.sleep(after_s)
            with lock:
                before = budget["spent"]
                try:
                    ask_blocking(stage.client, who, f"{before} and two")
                except CALL_ERRORS:
                    return
                budget["spent"] = before + 2
                budget["calls"] += 1

        threads = [
            threading.Thread(target=spend, args=(who, pause_s * place))
            for place, who in enumerate(agents)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stage.note("no update is lost", holds=budget["spent"] == 2 * budget["calls"])

    return step


def handed_over(rng: random.Random) -> BlockingStep:
    """A producer, two consumers, and an end for each."""
    number, size = rng.randint(2, 4), rng.randint(1, 2)

    def step(stage: Stage, _: ThreadPoolExecutor) -> None:
        items: queue.Queue[int | None] = queue.Queue(size)
        done: list[int] = []

        def consume() -> None:
            while (item := items.get()) is not None:
                try:
                    ask_blocking(stage.client, "worker", f"item {item}")
                except CALL_ERRORS:
                    time.sleep(0.3)
                with stage.guard:
                    done.append(item)

        consumers = [threading.Thread(target=consume) for _ in range(2)]
        for consumer in consumers:
            consumer.start()
        for item in [*range(number), None, None]:
            items.put(item)
        for consumer in consumers:
            consumer.join()
        stage.note("each item arrives once", holds=sorted(done) == list(range(number)))

    return step


def retried(rng: random.Random) -> BlockingStep:
    """One call, tried three times."""
    pause_s = rng.uniform(0.5, 3)

    def step(stage: Stage, _: ThreadPoolExecutor) -> None:
        for attempt in range(1, 3):
            try:
                ask_blocking(stage.client, "writer", "again")
                break
            except CALL_ERRORS:
                time.sleep(pause_s * attempt)
        else:
            ask_blocking(stage.client, "writer", "for the last time")
        stage.note("it is written", holds=True)

    return step


BLOCKING_MAKERS = [pooled, counted, handed_over, retried]
