from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from harness.errors import StoreError
from harness.store import SCHEMA_VERSION, RunRecord, Store, queries

MakeRecord = Callable[..., RunRecord]
Ask = Callable[[Store], object]

EITHER_WAY = pytest.mark.parametrize(
    "ask", [lambda store: store.write([]), queries.runs], ids=["writing", "reading"]
)
OTHER_PROCESS = Path(__file__).with_name("other_process.py")


@contextmanager
def other_process(deed: str, store: Store) -> Iterator[subprocess.Popen[str]]:
    """Another process that is ready to go on with its deed; it is waited for at the end."""
    with subprocess.Popen(
        [sys.executable, OTHER_PROCESS, deed, store.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


# Several at once ------------------------------------------------------------------------------------------------------


def test_two_processes_writing_one_new_store_lose_nothing(store: Store) -> None:
    with (
        other_process("write_five_times", store) as first,
        other_process("write_five_times", store) as second,
    ):
        for process in (first, second):
            go_on(process)
        printed = [process.communicate()[0] for process in (first, second)]
    pairs = [tuple(map(int, line.split())) for text in printed for line in text.splitlines()]
    assert sorted(pairs) == [(number, number + 1) for number in range(1, 20, 2)]
    assert [run["run_id"] for run in queries.runs(store)] == list(range(1, 21))
    with store.reading() as connection:
        counts = connection.execute(
            "SELECT DISTINCT count(*) FROM spans GROUP BY run_id"
        ).fetchall()
    assert counts == [(2,)]
    assert list(store.path.parent.iterdir()) == [store.path]


def test_threads_of_one_process_get_runs_of_their_own(
    store: Store, make_record: MakeRecord
) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda seed: store.write([make_record(seed=seed)]), range(8)))
    assert sorted(found) == [[number] for number in range(1, 9)]
    seeds = {run["run_id"]: run["seed"] for run in queries.runs(store)}
    assert [seeds[run_id] for (run_id,) in found] == list(range(8))


@EITHER_WAY
def test_a_store_that_stays_locked_is_refused_with_the_process_that_holds_it(
    store: Store, ask: Ask
) -> None:
    store.write([])
    hasty = Store(store.path, patience_wall_s=0.1)
    with other_process("hold", store) as holder:
        with pytest.raises(
            StoreError, match=rf"(?s)runs\.duckdb is in use by another process \(PID {holder.pid}\)"
        ):
            ask(hasty)
        go_on(holder)


@EITHER_WAY
def test_a_locked_store_is_waited_for(store: Store, ask: Ask) -> None:
    store.write([])
    with other_process("hold", store) as holder, ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, store)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        go_on(holder)
        assert answer.result(timeout=10) == []


@EITHER_WAY
def test_a_connection_that_the_program_itself_left_open_is_pointed_out(
    store: Store, ask: Ask
) -> None:
    store.write([])
    with (
        duckdb.connect(store.path),
        pytest.raises(StoreError, match=r"runs\.duckdb is open in this program"),
    ):
        ask(store)


def test_a_process_killed_before_the_commit_leaves_only_whole_runs(
    store: Store, make_record: MakeRecord
) -> None:
    store.write([make_record(seed=1)])
    with other_process("stop_before_the_commit", store) as process:
        process.kill()
    assert [run["seed"] for run in queries.runs(store)] == [1]
    with store.reading() as connection:
        for table in ("spans", "events", "metrics"):
            owners = connection.execute(f"SELECT DISTINCT run_id FROM {table}").fetchall()
            assert (table, owners) == (table, [(1,)])
    assert store.write([make_record(seed=2)]) == [2]
    assert len(queries.spans(store, 2)) == 2


def test_a_process_killed_in_the_first_write_leaves_an_empty_store(store: Store) -> None:
    with other_process("stop_before_the_commit", store) as process:
        process.kill()
    assert queries.runs(store) == []


# Files that are not stores --------------------------------------------------------------------------------------------


def write_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (run_id INTEGER)")
    connection.commit()
    connection.close()


def write_half_a_store(path: Path) -> None:
    Store(path).write([])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_damaged_store(path: Path) -> None:
    Store(path).write([])
    whole = bytearray(path.read_bytes())
    whole[12_288:] = bytes(byte ^ 255 for byte in whole[12_288:])
    path.write_bytes(whole)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (Path.touch, "it is not a DuckDB database"),
    "text": (
        lambda path: path.write_text("run_id,seed\n1,1\n" * 1000),
        "it is not a DuckDB database",
    ),
    "sqlite": (write_sqlite, "it is not a DuckDB database"),
    "half": (write_half_a_store, "Could not read enough bytes"),
    "damaged": (write_damaged_store, "Corrupt database file"),
}


@EITHER_WAY
@pytest.mark.parametrize(("make", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_not_a_store_is_refused_and_left_alone(
    store: Store, make: Callable[[Path], object], reason: str, ask: Ask
) -> None:
    make(store.path)
    before = store.path.read_bytes()
    with pytest.raises(
        StoreError, match=rf"(?s)cannot open the store .*runs\.duckdb: {reason}.*How to fix:"
    ):
        ask(store)
    assert store.path.read_bytes() == before


@EITHER_WAY
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE customers (name VARCHAR)",
        "CREATE TABLE meta (id INTEGER)",
        "CREATE TABLE meta (key VARCHAR, value VARCHAR)",
        "CREATE TABLE meta AS SELECT 'schema_version' AS key, 'first' AS value",
    ],
)
def test_a_database_of_somebody_else_is_refused_and_left_alone(
    store: Store, sql: str, ask: Ask
) -> None:
    with duckdb.connect(store.path) as connection:
        connection.execute(sql)
    with pytest.raises(
        StoreError, match=r"runs\.duckdb is a DuckDB database, but not a store of harness"
    ):
        ask(store)
    with duckdb.connect(store.path) as connection:
        assert len(connection.execute("SHOW TABLES").fetchall()) == 1


@EITHER_WAY
def test_a_store_written_by_a_newer_version_is_refused(
    store: Store, make_record: MakeRecord, ask: Ask
) -> None:
    store.write([make_record()])
    with duckdb.connect(store.path) as connection:
        connection.execute(
            "UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION + 1)]
        )
    with pytest.raises(
        StoreError,
        match=rf"(?s)runs\.duckdb was written by a newer harness: .*version {SCHEMA_VERSION + 1}, .*pip install -U",
    ):
        ask(store)


@EITHER_WAY
def test_a_folder_is_refused(tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(StoreError, match=r"(?s)is a folder.*How to fix: name a file"):
        ask(Store(tmp_path))


def test_a_store_that_does_not_exist_cannot_be_read_and_is_not_made(store: Store) -> None:
    with pytest.raises(StoreError, match=r"(?s)there is no store .*runs\.duckdb.*harness simulate"):
        queries.runs(store)
    assert not store.path.exists()


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    Store(tmp_path / "reports" / "today" / "runs.duckdb").write([])
    assert (tmp_path / "reports" / "today" / "runs.duckdb").is_file()


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    with pytest.raises(
        StoreError,
        match=r"(?s)cannot make the store .*notes/runs\.duckdb: .*How to fix: name a file",
    ):
        Store(tmp_path / "notes" / "runs.duckdb").write([])


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="/proc is a folder that not even root may write to"
)
def test_a_folder_that_cannot_be_written_to_is_refused() -> None:
    with pytest.raises(StoreError, match=r"cannot make the store /proc/runs\.duckdb: "):
        Store("/proc/runs.duckdb").write([])


# What a store is ------------------------------------------------------------------------------------------------------


def test_a_store_can_be_read_by_older_versions_of_duckdb(
    store: Store, make_record: MakeRecord
) -> None:
    store.write([make_record()])
    with store.reading() as connection:
        tags = connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE path IS NOT NULL"
        ).fetchall()
    assert tags == [({"storage_version": "v1.4.0+"},)]


def test_a_store_is_one_file_at_rest(store: Store, make_record: MakeRecord) -> None:
    store.write([make_record()])
    queries.runs(store)
    assert list(store.path.parent.iterdir()) == [store.path]


def test_a_store_keeps_its_place_when_the_program_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("runs.duckdb")
    store.write([])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert queries.runs(store) == []


def test_a_file_system_without_hard_links_will_do(
    store: Store, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert store.write([make_record()]) == [1]
    assert queries.latest_run_id(store) == 1
