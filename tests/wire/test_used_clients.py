"""A client that was used before a run has simulated connections in it, and its own ones again afterwards."""

# ruff: noqa: ANN401 - programs of the user's do all of this, with several clients

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from typing import Any

import anthropic
import httpcore
import httpx
import httpx2
import pytest

from harness.errors import NotSimulated
from harness.sim import Sim
from tests.real_server import RealServer, serving

HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}


def sim_at(seed: int = 1) -> Sim:
    """A simulated Anthropic in the place of the real server."""
    sim = Sim(seed)
    sim.provider("anthropic", hosts=["127.0.0.1"])
    sim.agent("agent", reply="simulated", latency_s=1.0)
    return sim


def ask(client: anthropic.Anthropic) -> str:
    return client.messages.create(**BODY).content[0].text  # type: ignore[no-any-return]


async def ask_async(client: anthropic.AsyncAnthropic) -> str:
    return (await client.messages.create(**BODY)).content[0].text  # type: ignore[no-any-return]


def client_of(server: RealServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0)


def test_calls_of_a_used_client_are_counted_and_paid_and_reach_nobody() -> None:
    with serving() as server, client_of(server) as client:
        assert ask(client) == "real"
        run = sim_at().run(lambda: [ask(client) for _ in range(3)])
        assert run.output == ["simulated"] * 3
        assert [len(run.calls("agent")), run.latency_s] == [3, 3.0]
        assert run.cost_usd > 0
        assert len(server.asked_from) == 1
        assert ask(client) == "real"
        assert len(set(server.asked_from)) == 1


def test_used_async_client_keeps_its_connection_over_several_runs() -> None:
    with serving() as server, closing(asyncio.new_event_loop()) as loop:
        client = anthropic.AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0)
        for seed in range(1, 4):
            assert loop.run_until_complete(ask_async(client)) == "real"
            assert sim_at(seed).run(ask_async, client).output == "simulated"
        loop.run_until_complete(client.close())
        assert len(set(server.asked_from)) == 1


def test_client_that_is_made_in_a_run_reaches_the_real_server_after_it() -> None:
    with serving() as server:

        def program() -> anthropic.Anthropic:
            client = client_of(server)
            assert ask(client) == "simulated"
            return client

        with sim_at().run(program).output as client:
            assert ask(client) == "real"


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_response_from_before_the_run_cannot_be_read_in_it(library: Any) -> None:
    with serving() as server, library.Client(base_url=server.url) as client:
        server.may_go_on.clear()
        with client.stream("POST", "/v1/messages", json=BODY) as response:
            with pytest.raises(NotSimulated, match="that was made before the run"):
                sim_at().run(response.read)
            server.may_go_on.set()
        assert client.post("/v1/messages", json=BODY).status_code == 200


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_limit_of_a_pool_counts_no_connection_from_before(library: Any) -> None:
    """A pool with one place, which a response from before the run still holds."""
    with (
        serving() as server,
        library.Client(base_url=server.url, limits=library.Limits(max_connections=1)) as client,
        client.stream("POST", "/v1/messages", json=BODY) as response,
    ):
        run = sim_at().run(lambda: client.post("/v1/messages", json=BODY, headers=HEADERS))
        assert run.output.status_code == 200
        assert response.read()


def test_client_that_is_closed_in_a_run_loses_no_real_connection() -> None:
    with serving() as server, httpcore.ConnectionPool() as pool:
        assert pool.request("GET", server.url).status == 200
        before = pool.connections
        sim_at().run(pool.close)
        assert pool.connections == before
        assert pool.request("GET", server.url).status == 200
        assert len(set(server.asked_from)) == 1


def test_thread_outside_of_the_run_goes_on_using_the_real_connection_of_the_same_client() -> None:
    with serving() as server, client_of(server) as client:
        assert ask(client) == "real"
        go, done, found = threading.Event(), threading.Event(), []

        def outside() -> None:
            go.wait(10)
            found.append(ask(client))
            done.set()

        thread = threading.Thread(target=outside)
        thread.start()

        def program() -> str:
            said = ask(client)
            go.set()
            while not done.is_set():  # a wait would be a virtual one
                pass
            return said + ", " + ask(client)

        assert sim_at().run(program).output == "simulated, simulated"
        thread.join(10)
        assert found == ["real"]
        assert len(set(server.asked_from)) == 1


def test_pool_has_its_attributes_as_ever_after_a_run() -> None:
    sim_at().run(lambda: None)
    for pool in (httpcore.ConnectionPool, httpcore.AsyncConnectionPool):
        assert not {"_connections", "_requests"} & set(vars(pool))
