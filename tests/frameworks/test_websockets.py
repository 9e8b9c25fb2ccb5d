"""Clients of websockets, OpenAI's among them: what they connect to is refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.resources.responses import AsyncResponses

from harness.errors import NotSimulated
from harness.sim import Sim

websockets = pytest.importorskip("websockets", reason="needs websockets")
websocket = pytest.importorskip("websocket", reason="needs websocket-client")

REALTIME = "wss://api.openai.com/v1/realtime?model=gpt-realtime"


async def realtime_of_openai() -> None:
    async with openai.AsyncOpenAI().realtime.connect(model="gpt-realtime"):
        pass


def realtime_of_openai_in_blocking_code() -> None:
    with openai.OpenAI().realtime.connect(model="gpt-realtime"):
        pass


async def realtime_that_swallows_errors() -> None:
    try:
        await realtime_of_openai()
    except Exception:  # noqa: BLE001 - as programs do
        return


async def websockets_client() -> None:
    async with websockets.connect(REALTIME):
        pass


def websockets_client_in_blocking_code() -> None:
    from websockets.sync.client import connect

    with connect(uri=REALTIME):
        pass


def websocket_client() -> None:
    websocket.create_connection(REALTIME)


def websocket_app() -> None:
    websocket.WebSocketApp(REALTIME).run_forever()


@pytest.mark.parametrize(
    "program",
    [
        realtime_of_openai,
        realtime_of_openai_in_blocking_code,
        realtime_that_swallows_errors,
        websockets_client,
        websockets_client_in_blocking_code,
        websocket_client,
        websocket_app,
    ],
)
def test_websocket_is_refused_by_its_name_and_counted(sim: Sim, program: Callable[[], Any]) -> None:
    with pytest.raises(
        NotSimulated, match=r"the websocket /v1/realtime at api\.openai\.com is not"
    ):
        sim.run(program)
    assert sim.last_run is not None
    assert sim.last_run.unsimulated == {"websocket /v1/realtime at api.openai.com": 1}


@pytest.mark.skipif(
    not hasattr(AsyncResponses, "connect"),
    reason="this OpenAI SDK has no responses over websockets",
)
def test_responses_over_a_websocket_are_refused_by_their_name(sim: Sim) -> None:
    async def program() -> None:
        async with openai.AsyncOpenAI().responses.connect():
            pass

    with pytest.raises(
        NotSimulated, match=r"the websocket /v1/responses at api\.openai\.com is not"
    ):
        sim.run(program)


def test_websocket_to_a_host_of_nobody_is_refused_too(sim: Sim) -> None:
    async def program() -> None:
        await websockets.connect("wss://stream.example.com/feed")

    with pytest.raises(NotSimulated, match=r"the websocket /feed at stream\.example\.com is not"):
        sim.run(program)
