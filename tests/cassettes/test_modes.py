"""What a run with a cassette records, by its mode; a server on this machine is the real API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import CassetteError, RecordedRequest, load_cassette
from harness.errors import HarnessError
from harness.sim import Sim
from tests.real_server import RealServer, serving

anthropic = pytest.importorskip("anthropic")

KEY = "sk-ant-api03-a1B2c3D4e5F6a7B8"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealServer]:
    with serving() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        yield server


async def ask(*questions: str) -> list[str]:
    async with anthropic.AsyncAnthropic(max_retries=0) as client:
        found = []
        for question in questions:
            message = await client.messages.create(
                model="claude-sonnet-5",
                max_tokens=9,
                messages=[{"role": "user", "content": question}],
            )
            found.append(message.content[0].text)
        return found


def run(path: Path, mode: str, *questions: str, **settings: Any) -> Any:  # noqa: ANN401 - a run
    sim = Sim()
    cassette = sim.cassette(path, mode=mode, **settings)
    result = sim.run(ask, *questions)
    cassette.end_test()
    return result


def recorded(path: Path) -> list[str]:
    return [one.request.json["messages"][0]["content"] for one in load_cassette(path).interactions]


@contextmanager
def nothing_reaches(api: RealServer) -> Iterator[None]:
    before = len(api.asked_from)
    yield
    assert len(api.asked_from) == before


def test_once_records_what_is_not_there_and_replays_it_afterwards(
    api: RealServer, tmp_path: Path
) -> None:
    path = tmp_path / "once.yaml"
    assert run(path, "once", "a", "b").output == ["real", "real"]
    assert recorded(path) == ["a", "b"]
    assert KEY not in path.read_text(encoding="utf-8")
    with nothing_reaches(api):
        assert run(path, "once", "a", "b").output == ["real", "real"]
        with pytest.raises(CassetteError, match="no recording"):
            run(path, "once", "c")


def test_a_recording_run_takes_the_real_time_and_its_replay_the_same(
    api: RealServer, tmp_path: Path
) -> None:
    path = tmp_path / "all.yaml"
    first = run(path, "all", "a", "b")
    assert first.latency_s > 0
    again = run(path, "none", "a", "b")
    assert again.latency_s == pytest.approx(first.latency_s, abs=1e-9)


def test_all_records_everything_anew(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    run(path, "all", "a", "b")
    before = len(api.asked_from)
    run(path, "all", "b", "c")
    assert len(api.asked_from) == before + 2
    assert recorded(path) == ["b", "c"]


def test_new_adds_what_is_not_there(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    run(path, "new", "a")
    before = len(api.asked_from)
    run(path, "new", "a", "b")
    assert len(api.asked_from) == before + 1
    assert sorted(recorded(path)) == ["a", "b"]


def test_drift_asks_only_for_what_changed_says_the_cost_before_and_drops_the_rest(
    api: RealServer, tmp_path: Path
) -> None:
    path = tmp_path / "drift.yaml"
    run(path, "all", "a", "b", "c")
    before = len(api.asked_from)
    told: list[tuple[str, int]] = []
    run(path, "drift", "a", "B", "c", tell=lambda line: told.append((line, len(api.asked_from))))
    assert len(api.asked_from) == before + 1
    ((line, asked),) = told
    assert "at most about" in line
    assert "USD" in line
    assert asked == before, "it is told before anything is sent"
    assert sorted(recorded(path)) == ["B", "a", "c"]


def test_drift_can_be_refused_before_anything_is_spent(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "drift.yaml"
    run(path, "all", "a")

    def refuse(line: str) -> None:
        raise HarnessError(f"too dear: {line}")

    with nothing_reaches(api), pytest.raises(HarnessError, match="too dear"):
        run(path, "drift", "b", tell=refuse)
    assert recorded(path) == ["a"]


def test_none_names_the_nearest_recording_and_what_differs(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    run(path, "all", "the price of solar power", "the weather of today")
    with nothing_reaches(api), pytest.raises(CassetteError) as caught:
        run(path, "none", "the price of wind power")
    message = str(caught.value)
    assert "there is no recording of POST api.anthropic.com/v1/messages" in message
    assert "The nearest is interaction 1" in message
    assert '- messages[0].content: "the price of solar power"' in message
    assert '+ messages[0].content: "the price of wind power"' in message


def test_a_request_that_is_asked_too_often_is_told(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    run(path, "all", "a")
    with pytest.raises(CassetteError, match="asked more often than it was recorded"):
        run(path, "none", "a", "a")


def has_key(request: RecordedRequest) -> bool:
    return any(name in ("authorization", "x-api-key") for name, _ in request.headers)


def test_fields_can_be_ignored_and_matchers_be_added(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "match.yaml"
    run(path, "all", "a")
    assert run(path, "none", "b", ignore=["messages.0.content"]).output == ["real"]
    assert run(path, "none", "b", ignore=["messages.*.content"]).output == ["real"]
    by_version = [lambda request: dict(request.headers).get("anthropic-version")]
    assert run(path, "none", "a", match_on=by_version).output == ["real"]
    with pytest.raises(CassetteError):
        run(path, "none", "a", match_on=[has_key])


def test_latency_can_be_the_profiles_or_none(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "latency.yaml"
    run(path, "all", "a")
    assert run(path, "none", "a", latency="none").latency_s == 0.0
    assert run(path, "none", "a", latency="profile").latency_s > 0.1


def test_faults_and_retries_go_on_top(api: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    run(path, "all", "a")

    async def with_retries() -> str:
        async with anthropic.AsyncAnthropic(max_retries=2) as client:
            message = await client.messages.create(
                model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "a"}]
            )
            return str(message.content[0].text)

    sim = Sim()
    sim.cassette(path)
    sim.fault("overloaded", attempt=1)
    result = sim.run(with_retries)
    assert result.output == "real"
    assert result.attempts == 2


def test_wrong_settings_are_told(tmp_path: Path) -> None:
    for settings, said in (
        ({"mode": "nwe"}, "did you mean 'new'"),
        ({"latency": "fast"}, "Known: recorded"),
        ({"ignore": "a"}, "list of fields"),
        ({"match_on": len}, "list of functions"),
        ({}, "there is no such cassette"),
    ):
        with pytest.raises(HarnessError, match=said):
            Sim().cassette(tmp_path / "x.yaml", **settings)


def test_what_was_recorded_is_in_the_file_before_the_run_ends(
    api: RealServer, tmp_path: Path
) -> None:
    path = tmp_path / "once.yaml"
    seen: list[list[str]] = []

    async def ask_and_look() -> None:
        for question in ("a", "b"):
            await ask(question)
            seen.append(recorded(path))

    sim = Sim()
    sim.cassette(path, mode="once")
    sim.run(ask_and_look)
    assert seen == [["a"], ["a", "b"]]
    assert recorded(path) == ["a", "b"]
