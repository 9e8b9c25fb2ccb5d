"""Workers of a Dask cluster, each a process of its own over TCP: the same bytes, also when one is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from harness.store import Store
from harness.sweep import Sweeping
from harness.sweep.engines import Dask, Processes
from harness.sweep.work import Made
from tests.sweep.test_driver import bytes_of, planned, wanted

distributed = pytest.importorskip("distributed")


@pytest.mark.parametrize("is_killed", [False, True])
def test_cluster_gives_the_same_bytes_as_one_process(
    file: Path, store: Store, is_killed: bool
) -> None:
    plan = planned(file, runs=8)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50, host="127.0.0.1"
    ) as cluster:
        killed: list[int] = []

        def kill_one(made: Made) -> None:
            if is_killed and not killed:
                with distributed.Client(cluster) as client:
                    killed.extend(sorted(client.run(os.getpid).values())[:1])
                os.kill(killed[0], signal.SIGKILL)

        address = cluster.scheduler_address.removeprefix("tcp://")
        sweeping = Sweeping(store, Dask(2, f"tcp://{address}"), on_made=kill_one)
        assert sweeping.ensure(wanted(plan)) == 32
        assert bool(killed) == is_killed
        assert not sweeping.given_up
    alone = Store("alone.duckdb")
    Sweeping(alone, Processes(1)).ensure(wanted(plan))
    assert bytes_of(plan, store) == bytes_of(plan, alone)
