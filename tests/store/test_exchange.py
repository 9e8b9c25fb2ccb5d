"""Runs as folders: what is written comes back to the last bit, and what is not an export is refused whole."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError, StoreError
from harness.spans import as_json_lines
from harness.store import SCHEMA_VERSION, RunRecord, Store, queries
from harness.store.exchange import export_runs, import_runs
from harness.store.exchange.formats import FORMATS
from harness.store.exchange.manifest import FormatName, checksum
from harness.store.exchange.tables import identifier, tables_of_runs
from tests.examples import examples

MakeRecord = Callable[..., RunRecord]
Row = dict[str, Any]

every_format = pytest.mark.parametrize("form", sorted(FORMATS))

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''@x", "'''-", "-"]

HOSTILE = [
    *FORMULAS, "'", "''", "'quoted'", "", " ", " lead", "trail ", '"', '""', '"quoted" and \\escaped\\', ",", "a,b;c\td",
    "NULL", "null", "nan", "\\N", "None", "#comment", "\ufeffmark", "one\ntwo\r\n\tthree\r", "\n", "nul\0inside", "\0", "\x1a",
    "'; DROP TABLE runs; --", "$1 ? {name}", "日本語 🦆 e\u0301", "\u202eback\u2066\u200f", "\u2028", "x" * 10_000,
    'x"\n1,2,"y",3\n', "1,1,1,1\n" * 2_000,
]  # fmt: skip

NUMBERS = [
    0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1e16, 1e22, 123456789.12345679, math.nan, math.inf, -math.inf,
]  # fmt: skip


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of runs, as it is, sorted; NaN as a text, because it is not equal to itself."""
    with store.reading() as connection:
        found = {}
        for table, columns in tables_of_runs().items():
            cells = ", ".join(map(identifier, columns))
            rows = connection.execute(f"SELECT {cells} FROM {table} ORDER BY ALL").fetchall()
            found[table] = [tuple(map(repr, row)) for row in rows]
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def fill(store: Store, rows: dict[str, list[Row]]) -> None:
    """Put rows into the tables as they are, past everything that looks after them."""
    with store.writing() as connection:
        for table, some in rows.items():
            if some:
                names, marks = ", ".join(some[0]), ", ".join("?" * len(some[0]))
                insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"
                connection.executemany(insert, [[row[name] for name in some[0]] for row in some])


def there_and_back(store: Store, form: FormatName, folder: Path) -> Store:
    """Another store with the same runs, by way of files."""
    run_ids = [row["run_id"] for row in queries.runs(store)]
    export_runs(store, run_ids, form, folder / "out")
    other = Store(folder / "other.duckdb")
    import_runs(other, [folder / "out"])
    return other


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# -- there and back ---------------------------------------------------------------------------------


def hostile_rows() -> dict[str, list[Row]]:
    """One run with every text in every column of text, and every number in every column of numbers."""
    rows: dict[str, list[Row]] = {}
    for table, columns in tables_of_runs().items():
        count = 1 if table == "runs" else max(len(HOSTILE), len(NUMBERS))
        rows[table] = [
            {
                name: {
                    "VARCHAR": HOSTILE[(number + place) % len(HOSTILE)],
                    "DOUBLE": NUMBERS[(number + place) % len(NUMBERS)],
                    "BIGINT": [0, -1, 2**63 - 1, -(2**63), 2**53 + 1][(number + place) % 5],
                    "INTEGER": 1,
                    "TIMESTAMP": datetime.fromisoformat("2026-01-02 03:04:05.678901"),
                }[kind]
                for place, (name, kind) in enumerate(columns.items())
            }
            for number in range(count)
        ]
    return rows


@every_format
def test_hostile_texts_and_odd_numbers_come_back_as_they_were(
    store: Store, tmp_path: Path, form: FormatName
) -> None:
    fill(store, hostile_rows())
    other = there_and_back(store, form, tmp_path)
    assert contents(other) == contents(store)
    export_runs(other, [1], form, tmp_path / "again")
    assert files(tmp_path / "again") == files(tmp_path / "out")


@every_format
def test_absent_values_stay_absent_and_empty_texts_empty(
    store: Store, tmp_path: Path, form: FormatName
) -> None:
    rows = hostile_rows()
    rows["events"] = [
        {"run_id": 1, "event_id": 1, "detail": None, "at_s": None},
        {"run_id": 1, "event_id": 2, "detail": "", "at_s": 0.0},
    ]
    fill(store, rows)
    first, second = queries.events(there_and_back(store, form, tmp_path), 1)
    assert (first["detail"], first["at_s"], first["name"]) == (None, None, None)
    assert (second["detail"], second["at_s"], second["name"]) == ("", 0.0, None)


def columns_that_must_be_there() -> dict[str, set[str]]:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder, "empty.duckdb"))
        store.write([])
        with store.reading() as connection:
            found = connection.execute(
                "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT is_nullable"
            ).fetchall()
    return {table: {name for of, name in found if of == table} for table in tables_of_runs()}


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.builds(
        lambda quotes, text: "'" * quotes + text, st.integers(0, 3), st.sampled_from(HOSTILE)
    ),
    "DOUBLE": st.floats(),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "TIMESTAMP": st.integers(0, 10**16).map(
        lambda us: datetime.fromisoformat("1970-01-01") + timedelta(microseconds=us)
    ),
}


@st.composite
def any_rows(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Some rows of each table, of runs 1 to 3, of any values that the columns can hold."""
    needed = columns_that_must_be_there()
    rows: dict[str, list[Row]] = {}
    for table, columns in tables_of_runs().items():
        ids = [1, 2, 3] if table == "runs" else draw(st.lists(st.integers(1, 3), max_size=3))
        of_columns = st.fixed_dictionaries(
            {
                name: VALUES[kind] if name in needed[table] else st.none() | VALUES[kind]
                for name, kind in columns.items()
                if name != "run_id"
            }
        )
        rows[table] = [{"run_id": run_id, **draw(of_columns)} for run_id in ids]
    return rows


@pytest.mark.slow
@every_format
@settings(max_examples=examples(12), deadline=None, derandomize=True, database=None)
@given(any_rows())
def test_whatever_a_store_holds_comes_back_and_gives_the_same_bytes(
    form: FormatName, rows: dict[str, list[Row]]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "runs.duckdb")
        fill(store, rows)
        other = there_and_back(store, form, folder)
        assert contents(other) == contents(store)
        export_runs(other, [1, 2, 3], form, folder / "again")
        assert files(folder / "again") == files(folder / "out")


@every_format
def test_spans_of_an_imported_run_are_those_of_the_run_itself(
    store: Store, make_record: MakeRecord, tmp_path: Path, form: FormatName
) -> None:
    spans = [
        {"span_id": number, "task": number % 7, "kind": "attempt", "arrival_s": number / 3, "name": HOSTILE[number % 40]}
        for number in range(1, 300)
    ]  # fmt: skip
    record = make_record(spans=spans)
    store.write([record, make_record()])
    other = there_and_back(store, form, tmp_path)
    for run_id in (1, 2):
        lines = as_json_lines(queries.span_table(other, run_id))
        assert lines == as_json_lines(queries.span_table(store, run_id))
    assert as_json_lines(queries.span_table(other, 1)) == as_json_lines(record.spans)


@every_format
def test_many_rows_give_the_same_bytes_every_time(
    store: Store, make_record: MakeRecord, tmp_path: Path, form: FormatName
) -> None:
    # More than one row group of DuckDB, so that several threads read and write them.
    events = [
        {"at_s": number / 7, "task": -1 if number % 3 else number, "detail": f"{number % 11}\n,"}
        for number in range(130_000)
    ]
    store.write([make_record(events=events)])
    assert export_runs(store, [1], form, tmp_path / "one")["events"] == 130_000
    export_runs(store, [1], form, tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    other = Store(tmp_path / "other.duckdb")
    import_runs(other, [tmp_path / "one"])
    assert contents(other)["events"] == contents(store)["events"]


# -- the ids of runs --------------------------------------------------------------------------------


@every_format
def test_runs_get_the_next_ids_and_keep_everything_else(
    store: Store, make_record: MakeRecord, tmp_path: Path, out: Path, form: FormatName
) -> None:
    store.write([make_record(seed=seed) for seed in (10, 20, 30, 40)])
    export_runs(store, [4, 2], form, out)
    other = Store(tmp_path / "other.duckdb")
    other.write([make_record(seed=seed, scenario_hash="other") for seed in (1, 2, 3)])
    (found,) = import_runs(other, [out])
    assert (found.run_ids, found.equal) == ([4, 5], [])
    for new, old in ((4, 2), (5, 4)):
        assert queries.run(other, new) == {**queries.run(store, old), "run_id": new}
        assert [{**span, "run_id": old} for span in queries.spans(other, new)] == queries.spans(
            store, old
        )
    assert [row["seed"] for row in queries.runs(other)] == [1, 2, 3, 20, 40]


def test_same_run_may_come_twice_and_is_told(
    store: Store, make_record: MakeRecord, out: Path
) -> None:
    store.write([make_record(seed=seed) for seed in (1, 2)])
    export_runs(store, [2], "parquet", out)
    (found,) = import_runs(store, [out])
    assert (found.run_ids, found.equal) == ([3], [2])
    (again,) = import_runs(store, [out])
    assert (again.run_ids, again.equal) == ([4], [2, 3])
    assert [row["seed"] for row in queries.runs(store)] == [1, 2, 2, 2]


def test_several_folders_of_several_formats_come_in_one_after_the_other(
    store: Store, make_record: MakeRecord, tmp_path: Path
) -> None:
    store.write([make_record(seed=seed) for seed in (1, 2, 3)])
    folders = []
    for run_id, form in enumerate(sorted(FORMATS), 1):
        folders.append(tmp_path / form)
        export_runs(store, [run_id], form, folders[-1])
    other = Store(tmp_path / "other.duckdb")
    assert [found.run_ids for found in import_runs(other, folders)] == [[1], [2], [3]]
    assert contents(other) == contents(store)


# -- folders that are wrong -------------------------------------------------------------------------


def manifest_of(folder: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(folder.joinpath("manifest.json").read_text())


def change_manifest(folder: Path, change: Callable[[Any], object]) -> None:
    data = manifest_of(folder)
    change(data)
    folder.joinpath("manifest.json").write_text(json.dumps(data))


def rewrite(folder: Path, table: str, sql: str) -> None:
    """Replace a Parquet file by what a query makes of it, under the name of `old`; with a checksum that is right."""
    path = folder / f"{table}.parquet"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE old AS FROM read_parquet(?)", [str(path)])
        connection.execute(f"CREATE TABLE new AS {sql}")
        connection.execute("COPY new TO ? (FORMAT parquet)", [str(path)])
        [(rows,)] = connection.execute("SELECT count(*) FROM new").fetchall()
    change_manifest(
        folder, lambda it: it["tables"].update({table: {"rows": rows, "sha256": checksum(path)}})
    )


def say_checksums_anew(folder: Path, form: str) -> None:
    def anew(data: Any) -> None:  # noqa: ANN401 - JSON
        for table, part in data["tables"].items():
            part["sha256"] = checksum(folder / f"{table}.{form}")

    change_manifest(folder, anew)


@contextmanager
def refused(folder: Path, says: str) -> Iterator[None]:
    """Neither a store that is there nor one that is not is changed, and one clear message says why."""
    there = Store(folder.parent / "runs.duckdb")
    before = contents(there)
    yield
    for target in (there, Store(folder.parent / "new.duckdb")):
        with pytest.raises(StoreError) as told:
            import_runs(target, [folder])
        assert says in str(told.value)
        assert "\n  How to fix: " in str(told.value)
        assert str(folder) in str(told.value)
    assert contents(there) == before
    new = Store(folder.parent / "new.duckdb")
    assert not new.path.exists() or queries.runs(new) == []
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@pytest.fixture
def good(store: Store, make_record: MakeRecord, out: Path) -> Path:
    store.write([make_record(seed=seed) for seed in (1, 2)])
    export_runs(store, [1, 2], "parquet", out)
    return out


CHANGES: list[tuple[str, Callable[[Any], object]]] = [
    ("by a newer harness: it has schema_version 99", lambda it: it.update(schema_version=99)),
    ("by a newer harness: it has harness_export 2", lambda it: it.update(harness_export=2)),
    ("'schema_version': Input should be greater", lambda it: it.update(schema_version=0)),
    ("'schema_version': Input should be a valid integer", lambda it: it.update(schema_version=True)),
    ("'schema_version': Field required", lambda it: it.pop("schema_version")),
    ("manifest.json has no 'harness_export'", lambda it: it.pop("harness_export")),
    ("'format': Input should be 'parquet', 'csv' or 'arrow'", lambda it: it.update(format="duckdb")),
    ("'tables.runs.rows'", lambda it: it["tables"]["runs"].update(rows=-1)),
    ("'tables.runs.sha256'", lambda it: it["tables"]["runs"].update(sha256="0" * 63 + "\n")),
    ("'tables.runs.file': Extra inputs", lambda it: it["tables"]["runs"].update(file="../runs.parquet")),
    ("no store has a table '../runs'", lambda it: it["tables"].update({"../runs": it["tables"]["runs"]})),
    ("no store has a table 'meta'", lambda it: it["tables"].update(meta=it["tables"]["runs"])),
    ("the table 'runs' is missing", lambda it: it["tables"].pop("runs")),
    ("the table 'metrics' is missing", lambda it: it["tables"].pop("metrics")),
    ("spans.parquet is not the file that was written", lambda it: it["tables"]["spans"].update(sha256="0" * 64)),
    ("spans.parquet holds 4 rows of its runs, and should hold 5", lambda it: it["tables"]["spans"].update(rows=5)),
    ("runs.csv is missing", lambda it: it.update(format="csv")),
]  # fmt: skip


@pytest.mark.parametrize(("says", "change"), CHANGES, ids=[says for says, _ in CHANGES])
def test_manifest_that_says_something_else_is_refused(
    good: Path, says: str, change: Callable[[Any], object]
) -> None:
    with refused(good, says):
        change_manifest(good, change)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "manifest.json is not JSON"),
        (b'{"harness_export": 1, "for', "manifest.json is not JSON"),
        (b"[" * 100_000, "manifest.json is not JSON"),
        (b"\xff\xfe\x00", "manifest.json is not JSON"),
        (b"[]", "has no 'harness_export'"),
        (b"null", "has no 'harness_export'"),
        (b" " * (2**20 + 1), "is longer than 1048576 bytes"),
        (b'{"harness_export": 1e400}', "'harness_export'"),
        (b'{"harness_export": %s}' % (b"9" * 4000), "by a newer harness"),
    ],
)
def test_manifest_that_is_garbage_is_refused(good: Path, text: bytes, says: str) -> None:
    with refused(good, says):
        good.joinpath("manifest.json").write_bytes(text)


@pytest.mark.parametrize(
    ("table", "sql", "says"),
    [
        ("spans", "SELECT * EXCLUDE agent FROM old", "differ from those of a store: 'agent'"),
        ("spans", "SELECT *, 1 AS more FROM old", "differ from those of a store: 'more'"),
        ("spans", "SELECT * RENAME (agent AS who) FROM old", "'agent', 'who'"),
        ("spans", "SELECT * REPLACE (task::VARCHAR AS task) FROM old", "'task'"),
        ("runs", "SELECT * REPLACE (written_at::TIMESTAMPTZ AS written_at) FROM old", "'written_at'"),
        ("runs", "SELECT * FROM old LIMIT 0", "it holds no runs"),
        ("runs", "SELECT * FROM old UNION ALL SELECT * FROM old", "or two have the same"),
        ("runs", "SELECT * REPLACE (NULL::INTEGER AS run_id) FROM old LIMIT 1", "a run has no id"),
        ("runs", "SELECT * REPLACE (NULL::VARCHAR AS scenario) FROM old", "runs.parquet cannot be read"),
        ("runs", "SELECT * FROM old LIMIT 1", "spans.parquet holds 2 rows of its runs, and should hold 4"),
        ("events", "SELECT * REPLACE (7::INTEGER AS run_id) FROM old", "events.parquet holds 0 rows of its runs"),
        ("metrics", "SELECT * REPLACE (NULL::DOUBLE AS value) FROM old", "metrics.parquet cannot be read"),
    ],
)  # fmt: skip
def test_file_that_holds_something_else_is_refused(
    good: Path, table: str, sql: str, says: str
) -> None:
    with refused(good, says):
        rewrite(good, table, sql)


@pytest.mark.parametrize(
    "content", [b"", b"PAR1" + b"\0" * 100 + b"PAR1", b"run_id\n1\n", b"\xff" * 5000]
)
@every_format
def test_garbage_with_the_right_checksum_is_refused(
    store: Store, make_record: MakeRecord, out: Path, form: FormatName, content: bytes
) -> None:
    store.write([make_record()])
    export_runs(store, [1], form, out)
    with refused(out, f"spans.{form} "):
        out.joinpath(f"spans.{form}").write_bytes(content)
        say_checksums_anew(out, form)


@every_format
def test_file_that_was_cut_off_or_changed_is_refused(
    store: Store, make_record: MakeRecord, out: Path, form: FormatName
) -> None:
    store.write([make_record()])
    export_runs(store, [1], form, out)
    path = out / f"metrics.{form}"
    whole = path.read_bytes()
    with refused(out, f"metrics.{form} is not the file that was written"):
        path.write_bytes(whole[:-1])
    with refused(out, f"metrics.{form} is not the file that was written"):
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with refused(out, f"metrics.{form} is missing, or is not a regular file"):
        path.unlink()
    with refused(out, f"metrics.{form} is missing, or is not a regular file"):
        path.mkdir()


def test_link_out_of_the_folder_is_not_followed(good: Path) -> None:
    path = good / "spans.parquet"
    with refused(good, "spans.parquet is missing, or is not a regular file"):
        path.rename(good.parent / "elsewhere.parquet")
        path.symlink_to(good.parent / "elsewhere.parquet")


@pytest.mark.parametrize(
    ("first_line", "says"),
    [
        ('run_id,"metric","bound"', "differ from those of a store: 'value'"),
        ('run_id,"metric","bound",value,"=cmd()"', "differ from those of a store: '=cmd()'"),
        ('run_id,"metric","bound",value,value', "a column occurs twice"),
        ('run_id,"metric","bound"";DROP TABLE runs",value', "differ from those of a store"),
        ('"run_id', "unexpected end of data"),
        ("\0", "budgets.csv"),
    ],
)
def test_csv_with_another_first_line_is_refused(
    store: Store, make_record: MakeRecord, out: Path, first_line: str, says: str
) -> None:
    store.write([make_record()])
    export_runs(store, [1], "csv", out)
    with refused(out, says):
        path = out / "budgets.csv"
        path.write_text(first_line + "\n" + path.read_text().partition("\n")[2])
        say_checksums_anew(out, "csv")


@pytest.mark.parametrize(
    "row", ['1,"a","b",one', '1,"a","b"', '1,"a","b",1,2', '1,"a,1', "99999999999,a,b,1"]
)
def test_csv_with_a_wrong_row_is_refused(
    store: Store, make_record: MakeRecord, out: Path, row: str
) -> None:
    store.write([make_record(budgets=[("latency_s_p95", "below", 3.0)])])
    export_runs(store, [1], "csv", out)
    with refused(out, "budgets.csv "):
        path = out / "budgets.csv"
        path.write_text(path.read_text() + row + "\n")
        change_manifest(out, lambda it: it["tables"]["budgets"].update(rows=2))
        say_checksums_anew(out, "csv")


def test_one_wrong_folder_keeps_all_others_out(good: Path, store: Store, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    export_runs(store, [1], "csv", bad)
    bad.joinpath("spans.csv").unlink()
    before = contents(store)
    with pytest.raises(StoreError, match=r"bad is damaged: spans\.csv is missing"):
        import_runs(store, [good, bad])
    rewrite(good, "spans", "SELECT * REPLACE (8::INTEGER AS run_id) FROM old")
    fine = tmp_path / "fine"
    export_runs(store, [1], "csv", fine)
    with pytest.raises(StoreError, match=r"out is damaged: spans\.parquet holds 0 rows"):
        import_runs(store, [fine, good])
    assert contents(store) == before


@pytest.mark.parametrize("name", ["gone", "runs.duckdb"])
def test_what_is_no_folder_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    store.write([])
    with pytest.raises(
        StoreError, match=rf"{name} is not an export: .*manifest\.json cannot be read"
    ):
        import_runs(store, [tmp_path / name])


# -- earlier versions -------------------------------------------------------------------------------

NEW_SINCE_1 = {
    "runs": {"commit_id", "engine"},
    "spans": {
        "cache_read_tokens",
        "cache_write_tokens",
        "repeats",
        "customer",
        "priority",
        "limited_by",
    },
    "events": {"recipient", "tokens", "hop", "message", "answers"},
}


def export_of_version_1(store: Store, form: FormatName, folder: Path) -> None:
    """What a harness of schema version 1 would have written of run 1."""
    export_runs(store, [1], form, folder)
    with store.reading() as connection:
        for table in ("budgets", "limits", "texts", "models"):
            folder.joinpath(f"{table}.{form}").unlink()
            change_manifest(folder, lambda it, table=table: it["tables"].pop(table))  # type: ignore[misc]
        for table, new in NEW_SINCE_1.items():
            columns = {
                name: kind for name, kind in tables_of_runs()[table].items() if name not in new
            }
            FORMATS[form].write(connection, table, columns, [1], folder / f"{table}.{form}")
    change_manifest(folder, lambda it: it.update(schema_version=1))
    say_checksums_anew(folder, form)


@every_format
def test_export_of_an_earlier_version_is_brought_up(
    store: Store, make_record: MakeRecord, tmp_path: Path, out: Path, form: FormatName
) -> None:
    spans = [{"span_id": n, "name": text, "cost_usd": 0.1} for n, text in enumerate(HOSTILE, 1)]
    store.write([make_record(spans=spans)])
    export_of_version_1(store, form, out)
    other = Store(tmp_path / "other.duckdb")
    (found,) = import_runs(other, [out])
    assert found.run_ids == [1]
    assert contents(other) == contents(store)


def test_export_that_is_of_no_version_at_all_is_refused(
    store: Store, make_record: MakeRecord, out: Path
) -> None:
    store.write([make_record()])
    export_of_version_1(store, "parquet", out)
    with refused(
        out, f"no whole export of schema version 1, and cannot be brought up to {SCHEMA_VERSION}"
    ):
        out.joinpath("metrics.parquet").rename(out.parent / "kept.parquet")
        change_manifest(out, lambda it: it["tables"].pop("metrics"))


def test_export_of_an_earlier_version_with_columns_that_nobody_knows_is_refused(
    store: Store, make_record: MakeRecord, out: Path
) -> None:
    store.write([make_record()])
    export_of_version_1(store, "parquet", out)
    with refused(out, "spans.parquet has columns that differ from those of a store: 'colour'"):
        rewrite(out, "spans", "SELECT *, 'red' AS colour FROM old")


# -- what is written --------------------------------------------------------------------------------


def test_no_text_of_a_csv_begins_as_a_formula(store: Store, out: Path) -> None:
    fill(store, hostile_rows())
    export_runs(store, [1], "csv", out)
    for table, columns in tables_of_runs().items():
        with out.joinpath(f"{table}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts = [row[name] for name, kind in columns.items() if kind == "VARCHAR"]
                assert [
                    text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))
                ] == []
    text = out.joinpath("spans.csv").read_text(encoding="utf-8")
    assert '"\'=1+1"' in text
    assert "\"''=1\"" in text
    assert "\"'quoted'\"" in text


def test_numbers_of_a_csv_have_all_their_digits(
    store: Store, make_record: MakeRecord, out: Path
) -> None:
    store.write([make_record(metrics={"latency_s_mean": 0.1 + 0.2, "cost_usd_mean": -1.5})])
    export_runs(store, [1], "csv", out)
    lines = out.joinpath("metrics.csv").read_text().splitlines()
    assert lines[1:3] == ['1,"lead","calls_mean",2.0', '1,,"cost_usd_mean",-1.5']
    assert lines[3] == '1,,"latency_s_mean",0.30000000000000004'


def test_folder_holds_a_file_for_every_table_of_runs_and_a_manifest(good: Path) -> None:
    assert sorted(files(good)) == sorted(
        ["manifest.json", *(f"{table}.parquet" for table in tables_of_runs())]
    )
    data = manifest_of(good)
    assert (data["format"], data["schema_version"]) == ("parquet", SCHEMA_VERSION)
    assert list(data["tables"]) == list(tables_of_runs())
    assert data["tables"]["runs"] == {"rows": 2, "sha256": checksum(good / "runs.parquet")}


def test_tables_of_runs_are_all_that_carry_run_id(store: Store) -> None:
    assert next(iter(tables_of_runs())) == "runs"
    assert {"runs", "spans", "events", "metrics", "budgets", "limits"} <= set(tables_of_runs())
    store.write([])
    with store.reading() as connection:
        found = connection.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name) "
            "WHERE column_name = 'run_id' AND table_type = 'BASE TABLE'"
        ).fetchall()
    assert {table for (table,) in found} == set(tables_of_runs())


def test_what_a_user_has_added_to_the_store_stays_there(
    store: Store, make_record: MakeRecord, tmp_path: Path
) -> None:
    store.write([make_record()])
    with store.writing() as connection:
        connection.execute("CREATE TABLE labels (run_id INTEGER, label VARCHAR)")
        connection.execute('ALTER TABLE runs ADD COLUMN "my; note" VARCHAR')
    assert len(queries.runs(there_and_back(store, "csv", tmp_path))) == 1


@pytest.mark.parametrize(
    "name", ["it's [1]* {x}?", "run_id=7", "-rf", "日本 $HOME", "a\nb", "http:"]
)
@every_format
def test_folder_may_be_called_as_it_likes(
    store: Store, make_record: MakeRecord, tmp_path: Path, form: FormatName, name: str
) -> None:
    store.write([make_record()])
    folder = tmp_path / name / "in it"
    export_runs(store, [1], form, folder)
    other = Store(tmp_path / "other.duckdb")
    import_runs(other, [folder])
    assert contents(other) == contents(store)


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_nothing_is_written_over(
    store: Store, make_record: MakeRecord, out: Path, there: str
) -> None:
    store.write([make_record()])
    if there == "file":
        out.write_text("mine")
    elif there == "folder":
        out.mkdir()
        out.joinpath("mine").write_text("mine")
    else:
        out.parent.joinpath("mine").write_text("mine")
        out.symlink_to(out.parent / "mine")
    before = sorted(out.parent.rglob("*"))
    with pytest.raises(
        StoreError, match=r"already exists, and is not overwritten\n  How to fix: name"
    ):
        export_runs(store, [1], "csv", out)
    assert sorted(out.parent.rglob("*")) == before


def test_empty_folder_is_taken(store: Store, make_record: MakeRecord, out: Path) -> None:
    store.write([make_record()])
    out.mkdir()
    export_runs(store, [1], "csv", out)
    assert "manifest.json" in files(out)


def test_export_that_fails_leaves_nothing(
    store: Store, make_record: MakeRecord, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([make_record()])
    before = sorted(out.parent.iterdir())
    with pytest.raises(StoreError, match="there is no run 9"):
        export_runs(store, [1, 9], "parquet", out)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        HarnessError, match=r"need pyarrow.*\n.*pip install 'multiagent-harness\[arrow\]'"
    ):
        export_runs(store, [1], "arrow", out)
    with pytest.raises(StoreError, match="cannot write the export /proc/nothing"):
        export_runs(store, [1], "csv", "/proc/nothing/out")
    assert sorted(out.parent.iterdir()) == before


def test_arrow_files_need_pyarrow_also_to_be_read(
    store: Store, make_record: MakeRecord, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([make_record()])
    export_runs(store, [1], "arrow", out)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(HarnessError, match="need pyarrow, which is not installed"):
        import_runs(store, [out])
    assert len(queries.runs(store)) == 1
