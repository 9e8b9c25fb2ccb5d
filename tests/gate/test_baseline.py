"""The baseline file: what is read is what was written, a diff can be read, and a wrong file says so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.gate import Sample, Samples, baseline_text, read_baseline, samples_from, save_baseline
from harness.gate.baseline import kept_from_json
from harness.gate.kept import KeptWork
from harness.metrics.contributions import Key, Use

MakeSide = Callable[..., Samples]

P95 = "latency_s_p95"
NAME = "baselines/review.json"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(samples: Samples, reason: str = "") -> Samples:
    return save_baseline(Path(NAME), samples, metrics=[P95, "cost_usd_mean"], reason=reason)


def test_what_is_read_is_what_was_written(side: MakeSide) -> None:
    samples = side(
        {P95: [0.1 + 0.2, 1e-17, 3]}, workload="w", prices_as_of="2026-11-01", python="3.11"
    )
    written = save(samples, "as measured")
    assert read_baseline(Path(NAME)) == written
    assert written.reason == "as measured"
    assert written.label == NAME
    assert written.runs == samples.runs


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, st.integers(0, 2**62), st.sets(st.integers(1, 10**6)))), st.text()
)
def test_every_number_and_text_survives(
    rows: list[tuple[float, int, set[int]]], reason: str
) -> None:
    by_seed = {seed: (value, failed) for value, seed, failed in rows}
    samples = Samples(
        scenario=reason, scenario_hash="a", harness_version="1", reason=reason, label="x",
        runs=tuple(
            Sample(seed=seed, metrics={P95: value}, tasks=5, failed=tuple(sorted(failed)))
            for seed, (value, failed) in by_seed.items()
        ),
    )  # fmt: skip
    if samples.runs:
        assert samples_from(baseline_text(samples), "x") == samples


def test_only_gated_metrics_are_kept(side: MakeSide) -> None:
    assert save(side({P95: [1.0], "retries": [2.0]})).names == {P95}


def test_file_has_a_line_for_each_seed(side: MakeSide) -> None:
    save(side({P95: [1.5, 2.5]}, failed=[[], [3]]))
    before = Path(NAME).read_text(encoding="utf-8").splitlines()
    assert before[11:13] == [
        '    {"seed": 1, "tasks": 50, "failed": [], "metrics": {"latency_s_p95": 1.5}},',
        '    {"seed": 2, "tasks": 50, "failed": [3], "metrics": {"latency_s_p95": 2.5}}',
    ]
    save(side({P95: [1.5, 2.25]}, failed=[[], [3]]), "why not")
    after = Path(NAME).read_text(encoding="utf-8").splitlines()
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [before[9], before[12]], "the reason and one seed"


def test_baseline_of_32_seeds_is_small(side: MakeSide) -> None:
    save(side({P95: [1.0 / seed for seed in range(3, 35)], "cost_usd_mean": [1 / 3] * 32}))
    assert Path(NAME).stat().st_size < 5000


def test_saving_again_needs_a_reason(side: MakeSide) -> None:
    save(side({P95: [1.0]}))
    assert read_baseline(Path(NAME)).reason == "first baseline"
    with pytest.raises(HarnessError, match="saved because: first baseline") as caught:
        save(side({P95: [2.0]}), "  ")
    assert "--reason TEXT" in str(caught.value)
    assert read_baseline(Path(NAME)).values(P95) == {1: 1.0}
    save(side({P95: [2.0]}), "a bigger model")
    assert read_baseline(Path(NAME)).reason == "a bigger model"


def test_file_of_another_kind_is_not_overwritten(side: MakeSide) -> None:
    Path("package.json").write_text('{"name": "x"}', encoding="utf-8")
    with pytest.raises(HarnessError, match="not a baseline of harness"):
        save_baseline(Path("package.json"), side({P95: [1.0]}), metrics=[P95], reason="because")
    assert Path("package.json").read_text(encoding="utf-8") == '{"name": "x"}'


def test_baseline_without_values_is_not_saved(side: MakeSide) -> None:
    with pytest.raises(HarnessError, match="no run measured any of latency_s_p95"):
        save(side({"retries": [1.0]}))
    assert not Path(NAME).exists()


def test_baseline_that_cannot_be_written_is_told(side: MakeSide) -> None:
    Path("baselines").write_text("a file, where a folder should be", encoding="utf-8")
    with pytest.raises(HarnessError, match="cannot write the baseline"):
        save(side({P95: [1.0]}))


GOOD = baseline_text(
    Samples(
        scenario="review", scenario_hash="a", harness_version="1",
        runs=(Sample(seed=1, metrics={P95: 1.5}, tasks=5, failed=(2,)),),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD[:200], "is not JSON; it may be cut off"),
        ("", "is not JSON; it may be cut off"),
        ("<<<<<<< HEAD\n" + GOOD, "it has merge conflict markers"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "not a baseline of harness"),
        ('{"name": "x"}', "not a baseline of harness"),
        ('{"harness_baseline": "1"}', "not a baseline of harness"),
        (
            GOOD.replace('baseline": 3', 'baseline": 4'),
            "was saved by a newer harness: it has version 4",
        ),
        (GOOD.replace('"scenario"', '"szenario"'), "is damaged: scenario: Field required"),
        (
            GOOD.replace("1.5", '"fast"'),
            "is damaged: runs.0.metrics.latency_s_p95: Input should be",
        ),
        (GOOD.replace("1.5", "NaN"), "is damaged: runs.0.metrics.latency_s_p95"),
        (GOOD.replace("1.5", "1e999"), "is damaged: runs.0.metrics.latency_s_p95"),
        (GOOD.replace("[2]", "[0]"), "is damaged: runs.0.failed.0"),
        (GOOD.replace('"seed": 1', '"seed": -1'), "is damaged: runs.0.seed"),
        (GOOD.replace('"tasks": 5', '"tasks": true'), "is damaged: runs.0.tasks"),
        (GOOD[: GOOD.index("[") + 1] + "]}", "holds no runs"),
    ],
)
def test_wrong_file_is_told(text: str, says: str) -> None:
    Path("wrong.json").write_text(text, encoding="utf-8")
    with pytest.raises(HarnessError) as caught:
        read_baseline(Path("wrong.json"))
    assert "wrong.json" in str(caught.value)
    assert says in str(caught.value)
    assert "How to fix" in str(caught.value)


def test_seed_that_occurs_twice_is_told() -> None:
    data = json.loads(GOOD)
    data["runs"] *= 2
    with pytest.raises(HarnessError, match="b: a seed occurs twice"):
        samples_from(json.dumps(data), "b")


def test_missing_and_unreadable_files_are_told() -> None:
    with pytest.raises(HarnessError, match=r"there is no baseline nowhere\.json"):
        read_baseline(Path("nowhere.json"))
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HarnessError, match="cannot be read"):
        read_baseline(Path("binary.json"))
    Path("folder.json").mkdir()
    with pytest.raises(HarnessError, match="cannot be read"):
        read_baseline(Path("folder.json"))


def test_what_metrics_consist_of_is_read_as_it_was_written(side: MakeSide) -> None:
    use = Use(
        2.0,
        2.5,
        2.0,
        100.0,
        50.0,
        1.25,
        models=Counter({"fast": 3}),
        endings=Counter({"timeout": 0.25}),
    )
    kept = KeptWork(
        parts={Key("work", "writer", "fast"): 1.5, Key("hand_off", "", ""): 0.25},
        work_s=2.0,
        uses={"writer": use},
        tools=frozenset({("writer", "search"), ("writer", "browse")}),
    )
    plain = side({P95: [1.5, 2.5]})
    samples = replace(plain, runs=tuple(replace(it, kept={P95: kept}) for it in plain.runs))
    written = save(samples)
    assert read_baseline(Path(NAME)) == written
    assert written.kept == {1: {P95: kept}, 2: {P95: kept}}


def test_a_file_of_the_first_version_is_read(side: MakeSide) -> None:
    text = baseline_text(side({P95: [1.5]})).replace('baseline": 2', 'baseline": 1')
    assert samples_from(text, "old.json").kept == {}


def test_a_file_of_version_2_is_read() -> None:
    old = {
        "latency_s_p95": {
            "parts": [["work", "writer", "fast", 1.5]],
            "work_s": 2.0,
            "uses": {"writer": [2.0, 2.5, 2.0, 100.0, 50.0, 1.25, {"fast": 3}]},
        }
    }
    use = kept_from_json(old)["latency_s_p95"].uses["writer"]
    assert use == Use(2.0, 2.5, 2.0, 100.0, 50.0, 1.25, models=Counter({"fast": 3}))
