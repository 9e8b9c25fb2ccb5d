"""What the tests let another process do with a store: `other_process.py DEED STORE`.

It says "ready" when it has begun, and goes on when it is sent a line.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import duckdb

from harness.store import RunRecord, Store, database
from harness.store.insert import insert_runs

make_record: Callable[..., RunRecord] = runpy.run_path(
    str(Path(__file__).with_name("conftest.py"))
)["make_a_record"]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def wait_to_go_on() -> None:
    say("ready")
    sys.stdin.readline()


def write_five_times(path: str) -> None:
    wait_to_go_on()
    for _ in range(5):
        first, second = Store(path).write([make_record(), make_record()])
        say(f"{first} {second}")


def stop_before_the_commit(path: str) -> None:
    def insert_and_stop(*everything: object) -> None:
        insert_runs(*everything)  # type: ignore[arg-type]
        wait_to_go_on()

    # More than one row group, so that DuckDB writes to the file before the commit.
    spans = [{"span_id": number, "task": 1} for number in range(1, 150_001)]
    with mock.patch.object(database, "insert_runs", insert_and_stop):
        Store(path).write([make_record(spans=spans), make_record()])


def hold(path: str) -> None:
    with duckdb.connect(path):
        wait_to_go_on()


if __name__ == "__main__":
    deeds = {deed.__name__: deed for deed in (write_five_times, stop_before_the_commit, hold)}
    deeds[sys.argv[1]](sys.argv[2])
