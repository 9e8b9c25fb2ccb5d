"""The same with threads."""

from __future__ import annotations

import json
import threading
import time  # noqa: TID251 - as users do
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from tests.zoo.asking import CALL_ERRORS, Unusable, ask_blocking, blocking_client
from tests.zoo.planted import Late, Order, planted

READERS = {"law reader": 2.3, "tax reader": 3.4, "trade reader": 1.7}
"""How long each takes for a page [s]."""


def every_note_is_written(output: list[str]) -> None:
    wanted = {f"{who} {page}" for who in READERS for page in (1, 2)}
    assert set(output) == wanted, f"notes are lost: {sorted(wanted - set(output))}"


@planted(
    "thread race",
    Late("law reader", 1, 2.02),
    agents={
        who: {"reply": f"as the {who} sees it", "latency_s": takes_s}
        for who, takes_s in READERS.items()
    },
    check=every_note_is_written,
)
def emptied_after_the_write(fixed: bool) -> list[str]:
    """A flusher writes the notes of a buffer out every second, and empties it after the write."""
    buffer, written, stop, lock = list[str](), list[str](), threading.Event(), threading.Lock()

    def flush() -> None:
        with lock:
            batch = list(buffer)
            if fixed:
                buffer.clear()
        if batch:
            time.sleep(0.05)
            written.extend(batch)
            if not fixed:
                with lock:
                    buffer.clear()

    def flusher() -> None:
        while not stop.wait(1.0):
            flush()

    def read(who: str) -> None:
        for page in (1, 2):
            with suppress(*CALL_ERRORS):  # the note says so
                ask_blocking(client, who, f"page {page}")
            with lock:
                buffer.append(f"{who} {page}")

    with blocking_client() as client:
        writer = threading.Thread(target=flusher, name="flusher")
        writer.start()
        with ThreadPoolExecutor(len(READERS)) as pool:
            list(pool.map(read, READERS))
        stop.set()
        writer.join()
        flush()
    return sorted(written)


def budget_is_kept(output: dict[str, Any]) -> None:
    assert output["done"] <= output["allowed"], f"more calls than the budget allows: {output}"


@planted(
    "thread race",
    Order(2),
    agents={
        "office planner": {
            "reply": {"calls": 2, "steps": ["pack", "carry", "unpack"]},
            "latency_s": 2.0,
        },
        "mover": {"reply": "done", "latency_s": 1.0},
    },
    check=budget_is_kept,
)
def spends_before_the_budget(fixed: bool) -> dict[str, Any]:
    """Two threads wait for the plan: one takes the budget over, and the other spends it, or a default."""
    ready, limited = threading.Event(), threading.Event()
    plan, limits, done = dict[str, Any](), dict[str, int](), list[str]()

    def keep_budget() -> None:
        ready.wait()
        limits["calls"] = plan.get("calls", 10)
        limited.set()

    def execute() -> None:
        ready.wait()
        if fixed:
            limited.wait()
        for step in plan.get("steps", [])[: limits.get("calls", 10)]:
            with suppress(*CALL_ERRORS):  # it counts all the same
                ask_blocking(client, "mover", step)
            done.append(step)

    with blocking_client() as client:
        threads = [
            threading.Thread(target=keep_budget, name="budget"),
            threading.Thread(target=execute, name="executor"),
        ]
        for thread in threads:
            thread.start()
        try:
            read = json.loads(ask_blocking(client, "office planner", "Move the office."))
            if not isinstance(read, dict):
                raise Unusable("plan")
            plan.update(read)
        finally:
            ready.set()
            for thread in threads:
                thread.join()
    return {"allowed": plan.get("calls", 10), "done": len(done)}
