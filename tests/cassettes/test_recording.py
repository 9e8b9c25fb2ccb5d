"""`harness record`: real programs against a server, and what is replayed of them."""

from __future__ import annotations

import asyncio
import json
import os
import random  # noqa: TID251 - the program's, and the test's
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import load_cassette
from harness.cassettes.said import said_in
from harness.recording.recorder import Recorder
from harness.recording.seams import put_in
from harness.sim import Sim
from tests.real_server import serving, tls_client

anthropic = pytest.importorskip("anthropic")
openai = pytest.importorskip("openai")

aiohttp = pytest.importorskip("aiohttp")
httpx = pytest.importorskip("httpx")
httpx2 = pytest.importorskip("httpx2")
requests = pytest.importorskip("requests")
urllib3 = pytest.importorskip("urllib3")

Record = Callable[..., "subprocess.CompletedProcess[str]"]
Here = Callable[[], AbstractContextManager[Path]]

QUESTION: dict[str, Any] = {
    "model": "claude-sonnet-4-6", "max_tokens": 50, "system": "You are the lead.",
    "messages": [{"role": "user", "content": "merge?"}],
}  # fmt: skip
ASKED = f"QUESTION = {QUESTION!r}\n"


async def twenty(order: list[int]) -> dict[int, tuple[str, float]]:
    """The same program; its agents begin in another order, at other times."""
    loop = asyncio.get_running_loop()
    found: dict[int, tuple[str, float]] = {}

    async def one(client: Any, number: int) -> None:  # noqa: ANN401 - of the SDK
        await asyncio.sleep(random.random())
        began_s = loop.time()
        headers = {"x-harness-agent": f"agent-{number}"}
        message = await client.messages.create(**QUESTION, extra_headers=headers)
        found[number] = (message.content[0].text, loop.time() - began_s)

    async with anthropic.AsyncAnthropic() as client:
        await asyncio.gather(*(one(client, number) for number in order))
    return found


async def twenty_at_once() -> dict[int, str]:
    """Twenty agents ask the same, at the same time."""

    async def one(client: Any, number: int) -> str:  # noqa: ANN401 - of the SDK
        headers = {"x-harness-agent": f"agent-{number}"}
        message = await client.messages.create(**QUESTION, extra_headers=headers)
        return str(message.content[0].text)

    async with anthropic.AsyncAnthropic() as client:
        texts = await asyncio.gather(*(one(client, number) for number in range(20)))
    return dict(enumerate(texts))


def test_twenty_identical_requests_at_once_get_their_own_answers_and_times_under_any_schedule(
    here: Here,
) -> None:
    with here() as path:
        said = asyncio.run(twenty_at_once())  # noqa: TID251 - for real
    assert len(set(said.values())) == 20
    cassette = load_cassette(path)
    times = {one.agent: one.response.timing for one in cassette.interactions}
    starts = [one.response.timing.start_s for one in cassette.interactions if one.response.timing]
    assert starts == sorted(starts)
    for seed in range(1, 21):
        sim = Sim(seed)
        sim.cassette(path)
        order = random.Random(seed).sample(range(20), 20)
        found = sim.run(twenty, order).output
        assert {number: text for number, (text, _) in found.items()} == said
        for number, (_, took_s) in found.items():
            timing = times[f"agent-{number}"]
            assert timing is not None
            assert took_s == pytest.approx(timing.end_s, abs=1e-9)


def streams() -> list[tuple[float, bytes]]:
    """When each piece of the same streams comes."""
    import time  # noqa: TID251 - the program's

    pieces: list[tuple[float, bytes]] = []
    with anthropic.Anthropic() as client:
        began_s = time.perf_counter()
        with client.messages.with_streaming_response.create(**QUESTION, stream=True) as answer:
            pieces += [(time.perf_counter() - began_s, piece) for piece in answer.iter_bytes()]
    return pieces


def test_the_pieces_of_a_stream_come_at_their_recorded_times(here: Here) -> None:
    with here() as path:
        as_they_came = streams()
    assert as_they_came[-1][0] - as_they_came[0][0] > 0.03, "recording lets them come one by one"
    first = load_cassette(path).interactions[0]
    assert first.response.timing is not None
    assert len(first.response.timing.chunks) > 1, "the server streams"
    sim = Sim()
    sim.cassette(path)
    run = sim.run(streams)
    assert run.output == [
        (pytest.approx(at_s, abs=1e-9), data) for at_s, data in first.response.pieces
    ]
    assert run.latency_s == pytest.approx(first.response.timing.end_s, abs=1e-9)
    run.assert_latency_below(first.response.timing.end_s + 1e-6)
    with pytest.raises(AssertionError, match="the run took"):
        run.assert_latency_below(first.response.timing.end_s * 0.9)


def by_requests(url: str, headers: dict[str, str]) -> str:
    return str(
        requests.post(url, json=QUESTION, headers=headers, timeout=60).json()["content"][0]["text"]
    )


def by_urllib(url: str, headers: dict[str, str]) -> str:
    head = {**headers, "content-type": "application/json"}
    ask = urllib.request.Request(url, json.dumps(QUESTION).encode(), head)
    with urllib.request.urlopen(ask) as answer:
        return str(json.load(answer)["content"][0]["text"])


def by_urllib3(url: str, headers: dict[str, str]) -> str:
    return str(
        urllib3.request("POST", url, json=QUESTION, headers=headers).json()["content"][0]["text"]
    )


def by_httpx(url: str, headers: dict[str, str]) -> str:
    return str(httpx.post(url, json=QUESTION, headers=headers).json()["content"][0]["text"])


def by_httpx2(url: str, headers: dict[str, str]) -> str:
    return str(httpx2.post(url, json=QUESTION, headers=headers).json()["content"][0]["text"])


def by_aiohttp(url: str, headers: dict[str, str]) -> str:
    async def main() -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=QUESTION, headers=headers) as answer,
        ):
            return str((await answer.json())["content"][0]["text"])

    return asyncio.run(main())  # noqa: TID251 - for real


CLIENTS = (by_requests, by_urllib, by_urllib3, by_httpx, by_httpx2, by_aiohttp)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_every_client_is_recorded_and_replayed(client: Any, here: Here, real_api: str) -> None:  # noqa: ANN401 - one of these
    headers = {"x-api-key": "sk-ant-api03-a1B2c3D4e5F6a7B8", "anthropic-version": "2023-06-01"}
    with here() as path:
        said = [client(f"{real_api}/v1/messages", headers) for _ in range(2)]
    interactions = load_cassette(path).interactions
    assert [found.text for one in interactions if (found := said_in(one.response))] == said
    assert [(one.agent, one.call) for one in interactions] == [("lead", 1), ("lead", 2)]
    assert "a1B2c3D4" not in path.read_text(encoding="utf-8")
    sim = Sim()
    sim.cassette(path)
    url = "https://api.anthropic.com/v1/messages"
    assert sim.run(lambda: [client(url, headers) for _ in range(2)]).output == said


def threads_in_order(order: tuple[int, ...]) -> dict[str, str]:
    """What threads are told that have names."""
    found: dict[str, str] = {}
    client = anthropic.Anthropic()

    def ask() -> None:
        found[threading.current_thread().name] = client.messages.create(**QUESTION).content[0].text

    threads = [threading.Thread(target=ask, name=f"worker {n}") for n in order]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_get_their_own_answers_by_their_names(here: Here) -> None:
    with here() as path:
        said = threads_in_order((0, 1, 2))
    sim = Sim()
    sim.cassette(path)
    assert sim.run(threads_in_order, (2, 0, 1)).output == said


ASK_PLAINLY = (
    ASKED
    + """
import json, os, urllib.request
HEADERS = {"x-api-key": "sk-ant-api03-a1B2c3D4e5F6a7B8", "anthropic-version": "2023-06-01", "content-type": "application/json"}
def ask():
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
    return urllib.request.urlopen(urllib.request.Request(url, json.dumps(QUESTION).encode(), HEADERS)).read()
"""
)
"""A program that starts quickly."""


def test_the_exit_code_is_the_programs(record: Record, tmp_path: Path) -> None:
    done = record(ASK_PLAINLY + "ask()\nraise SystemExit(7)")
    assert done.returncode == 7, done.stderr
    assert len(load_cassette(tmp_path / "out.yaml").interactions) == 1


def test_what_records_nothing_fails_and_leaves_the_old_cassette(
    record: Record, tmp_path: Path
) -> None:
    (tmp_path / "out.yaml").write_text("version: 1\ninteractions: []\n", encoding="utf-8")
    done = record("print('hello')")
    assert done.returncode == 1
    assert "nothing was recorded" in done.stderr
    assert (tmp_path / "out.yaml").read_text(encoding="utf-8") == "version: 1\ninteractions: []\n"
    assert "python -I" in done.stderr


def test_command_that_fails_before_any_answer_is_told_so(record: Record) -> None:
    done = record("raise SystemExit(5)")
    assert done.returncode == 5
    assert "the command failed before an HTTP API had answered (exit code 5)" in done.stderr
    assert "python -I" not in done.stderr


def test_mode_new_adds_and_once_refuses(record: Record, tmp_path: Path) -> None:
    ask = ASK_PLAINLY + "ask()\n"
    assert record(ask).returncode == 0
    done = record(ask, "--mode", "new")
    assert "1 interactions recorded, 2 in all" in done.stderr
    first, second = load_cassette(tmp_path / "out.yaml").interactions
    assert first.response.timing is not None
    assert second.response.timing is not None
    assert second.response.timing.start_s > first.response.timing.start_s
    refused = record(ask, "--mode", "once")
    assert refused.returncode == 2
    assert "there is a cassette already" in refused.stderr


KILLED = (
    ASK_PLAINLY
    + """
import signal, threading
def go_on():
    while True:
        ask()
ask()
threads = [threading.Thread(target=go_on, daemon=True) for _ in range(4)]
[thread.start() for thread in threads]
threading.Event().wait(AFTER)
os.kill(os.getpid(), signal.SIGKILL)
"""
)


@pytest.mark.parametrize("after_s", [0.5, 0.9])
def test_a_killed_program_leaves_whole_interactions(
    after_s: float, record: Record, tmp_path: Path
) -> None:
    done = record(KILLED.replace("AFTER", str(after_s)))
    assert done.returncode == 137
    interactions = load_cassette(tmp_path / "out.yaml").interactions
    assert interactions
    assert all(said_in(one.response) for one in interactions)


def test_two_programs_record_into_one_folder(real_api: str, tmp_path: Path) -> None:
    program = ASK_PLAINLY + "for _ in range(3): ask()\n"
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    words = [sys.executable, "-m", "harness", "record", "--mode", "new"]
    started = [
        subprocess.Popen(
            [*words, "-o", name, "--", sys.executable, "program.py"],
            cwd=tmp_path, env={**os.environ, "ANTHROPIC_BASE_URL": real_api}, stderr=subprocess.PIPE,
        )
        for name in ("one.yaml", "two.yaml", "shared.yaml", "shared.yaml")
    ]  # fmt: skip
    for process in started:
        process.communicate(timeout=120)
        assert process.returncode == 0
    counts = {
        name: len(load_cassette(tmp_path / name).interactions)
        for name in ("one.yaml", "two.yaml", "shared.yaml")
    }
    assert counts == {"one.yaml": 3, "two.yaml": 3, "shared.yaml": 6}


def over_tls_sync(url: str) -> str:
    with httpx2.Client(verify=tls_client()) as client:
        return str(client.post(f"{url}/v1/messages", json=QUESTION).json()["content"][0]["text"])


def over_tls_async(url: str) -> str:
    async def main() -> str:
        async with httpx2.AsyncClient(verify=tls_client()) as client:
            answer = await client.post(f"{url}/v1/messages", json=QUESTION)
            return str(answer.json()["content"][0]["text"])

    return asyncio.run(main())  # noqa: TID251 - for real


def over_tls_urllib(url: str) -> str:
    ask = urllib.request.Request(f"{url}/v1/messages", json.dumps(QUESTION).encode())
    with urllib.request.urlopen(ask, context=tls_client()) as answer:
        return str(json.load(answer)["content"][0]["text"])


def over_tls_urllib3(url: str) -> str:
    with urllib3.PoolManager(
        ssl_context=tls_client(), assert_hostname=False, cert_reqs="CERT_NONE"
    ) as pool:
        return str(
            pool.request("POST", f"{url}/v1/messages", json=QUESTION).json()["content"][0]["text"]
        )


def over_tls_aiohttp(url: str) -> str:
    async def main() -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/v1/messages", json=QUESTION, ssl=tls_client()) as answer,
        ):
            return str((await answer.json())["content"][0]["text"])

    return asyncio.run(main())  # noqa: TID251 - for real


@pytest.mark.parametrize(
    "ask",
    [over_tls_sync, over_tls_async, over_tls_urllib, over_tls_urllib3, over_tls_aiohttp],
    ids=lambda ask: ask.__name__,
)
@pytest.mark.filterwarnings("ignore::Warning")  # of urllib3, about a server without a certificate
def test_what_is_encrypted_is_recorded(ask: Any, tmp_path: Path) -> None:  # noqa: ANN401 - one of these
    path = tmp_path / "tls.yaml"
    with serving(tls=True) as server, put_in(Recorder(path, lambda: 0.0)):
        url = server.url.replace("http:", "https:")
        assert ask(url) == "real"
    (one,) = load_cassette(path).interactions
    assert one.request.url == f"{url}/v1/messages"
    assert one.request.json == QUESTION
    assert said_in(one.response) is not None
