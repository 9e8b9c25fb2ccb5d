"""Programs of threads and blocking clients."""

# ruff: noqa: TID251 - programs as users write them
from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask_blocking, blocking_client
from tests.zoo.planted import Late, Order, planted


def budget_counts_both(output: dict[str, Any]) -> None:
    assert output["spent"] == 2 * output["calls"], f"an update is lost: {output}"


@planted(
    "thread race",
    Late("drafter", 1, 6.0),
    agents={
        "drafter": {"reply": "a draft", "latency_s": 2.0},
        "checker": {"reply": "fine", "latency_s": 4.0},
    },
    check=budget_counts_both,
)
def budget_read_before_the_call(fixed: bool) -> dict[str, Any]:
    """What was spent is read before a call and written after it; a second thread begins when the first is usually done."""
    budget = {"spent": 0, "calls": 0}
    lock = threading.Lock()

    with blocking_client() as client:

        def spend(who: str, after_s: float) -> None:
            time.sleep(after_s)
            before = budget["spent"]
            try:
                ask_blocking(client, who, "go on")
            except CALL_ERRORS:
                return
            with lock:
                budget["spent"] = (budget["spent"] if fixed else before) + 2
                budget["calls"] += 1

        threads = [
            threading.Thread(target=spend, args=("drafter", 0.0), name="drafting"),
            threading.Thread(target=spend, args=("checker", 3.0), name="checking"),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return dict(budget)


def settings_were_loaded(output: dict[str, Any]) -> None:
    assert output["tone"] == "polite", f"a thread ran without its settings: {output}"


@planted(
    "thread race",
    Order(4),
    agents={"speaker": {"reply": lambda call: call.prompt, "latency_s": 2.0}},
    check=settings_were_loaded,
)
def settings_of_another_thread(fixed: bool) -> dict[str, Any]:
    """One thread loads the settings, and another, started after it, uses them."""
    settings: dict[str, str] = {}
    guard = threading.Lock()
    loaded = threading.Event()
    said: list[str] = []

    with blocking_client() as client:

        def load() -> None:
            with guard:
                settings["tone"] = "polite"
            loaded.set()

        def speak() -> None:
            if fixed:
                loaded.wait()
            with guard:
                tone = settings.get("tone", "rude")
            try:
                ask_blocking(client, "speaker", tone)
            except CALL_ERRORS:
                time.sleep(1)
            said.append(tone)

        threads = [
            threading.Thread(target=load, name="loading"),
            threading.Thread(target=speak, name="speaking"),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {"tone": said[0]}


def reviews_are_of_their_files(output: dict[str, Any]) -> None:
    for file, review in output["reviews"].items():
        assert review in (f"review of {file}", "none"), f"a review of another file: {output}"


@planted(
    "thread race",
    Late("reviewer", 1, 8.0),
    agents={
        "reviewer": {"reply": lambda call: f"review of {call.prompt}", "latency_s": 3.0},
        "lead": {"reply": "merged", "latency_s": 2.0},
    },
    check=reviews_are_of_their_files,
)
def reviews_in_order_of_completion(fixed: bool) -> dict[str, Any]:
    """Files are reviewed in a pool, and the reviews, as they come, are put beside the files as they went."""
    files = ["kite.py", "reel.py", "tail.py"]

    with blocking_client() as client, ThreadPoolExecutor(3) as pool:

        def review(file: str) -> str:
            try:
                return ask_blocking(client, "reviewer", file)
            except CALL_ERRORS:
                return "none"

        futures = []
        for file in files:
            futures.append(pool.submit(review, file))
            time.sleep(0.5)
        ordered = futures if fixed else as_completed(futures)
        reviews = dict(zip(files, [future.result() for future in ordered], strict=True))
        ask_blocking(client, "lead", str(reviews))
    return {"reviews": reviews}


@planted(
    "thread race",
    Late("typist", 1, 4.5),
    agents={
        "typist": {"reply": "typed", "latency_s": 1.0},
        "binder": {"reply": "bound", "latency_s": 5.0},
    },
    check=lambda output: None,
    by_check=False,
)
def locks_in_two_orders(fixed: bool) -> dict[str, Any]:
    """One thread takes the press and then the paper, another the paper and then the press, usually later."""
    press, paper = threading.Lock(), threading.Lock()
    printed: queue.Queue[str] = queue.Queue()

    with blocking_client() as client:

        def work(who: str, after_s: float, first: threading.Lock, second: threading.Lock) -> None:
            time.sleep(after_s)
            with first:
                try:
                    said = ask_blocking(client, who, "go on")
                except CALL_ERRORS:
                    said = "by hand"
                with second:
                    printed.put(said)

        orders = [(press, paper), (press, paper) if fixed else (paper, press)]
        threads = [
            threading.Thread(target=work, args=(who, after_s, *locks), name=who)
            for (who, after_s), locks in zip(
                (("typist", 0.0), ("binder", 2.0)), orders, strict=True
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {"printed": printed.qsize()}
