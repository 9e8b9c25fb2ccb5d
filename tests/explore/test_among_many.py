"""What matters is found as soon among many threads and deviations as among few."""

from __future__ import annotations

import threading
from itertools import islice
from types import SimpleNamespace
from typing import Any

from harness.explore.deviation import Down, Fault, Latency, ThreadFirst
from harness.explore.strategies.under import under
from harness.sim import Sim

THREADS = 12


def load_and_read(loader: int) -> str:
    """One thread loads what another reads; which of them starts first is nobody's promise."""
    settings: dict[str, str] = {}
    read: list[str] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        with lock:
            if number == loader:
                settings["model"] = "fast"
            if number == loader + 1:
                read.append(settings.get("model", "none"))

    threads = [threading.Thread(target=work, args=(n,), name=f"t{n}") for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return read[0]


def test_thread_that_comes_too_late_is_found_among_many_in_ten_runs() -> None:
    for loader in (0, 5, 10):
        sim = Sim(1)
        (finding,) = sim.explore(
            load_and_read, loader, check=lambda model: model == "fast", runs=300, at_most=1
        ).findings
        assert finding.runs_until_found <= 10
        (deviation,) = finding.overrides
        assert isinstance(deviation, ThreadFirst)
        assert deviation.thread in (f"t{loader}", f"t{loader + 1}")


def test_latencies_and_faults_are_tried_in_turn_beside_all_that_seemed_unrelated() -> None:
    latencies = [(Latency(f"call {n}", 30.0),) for n in range(10)]
    faults = [(Fault(f"call {n}", "overloaded"),) for n in range(10)]
    search: Any = SimpleNamespace(
        changing=lambda: [*latencies, *faults],
        irrelevant={"clerk": None},
        passing=SimpleNamespace(seen=SimpleNamespace(sites=())),
        allows=lambda _: True,
    )
    tried = list(islice(under(search), 6))
    assert [type(one[0]) for one in tried if one] == [Latency, Fault] * 3
    assert all(one is not None and one[1:] == (Down("clerk"),) for one in tried)
