"""Servers that the program runs itself: who reaches them, and in what time."""

# ruff: noqa: TID251 - programs of the user's sleep, and run loops in threads
from __future__ import annotations

import asyncio
import threading
import time
import urllib.request
from contextvars import ContextVar

import aiohttp
import httpx
import pytest
import requests

from harness.errors import NotSimulated
from harness.sim import Sim

PORT = 8000
who: ContextVar[str] = ContextVar("who", default="nobody")


async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that takes two seconds, and tells who it is."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(2)
    text = who.get().encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
    writer.close()


async def by_httpx(url: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text


async def by_aiohttp(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


async def by_requests(url: str) -> str:
    return await asyncio.to_thread(lambda: requests.get(url, timeout=9).text)


async def by_urllib(url: str) -> str:
    return await asyncio.to_thread(lambda: str(urllib.request.urlopen(url).read().decode()))


@pytest.mark.parametrize("ask", [by_httpx, by_aiohttp, by_requests, by_urllib])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_every_client_waits_in_virtual_time_for_what_the_server_says(
    sim: Sim, ask: object, host: str
) -> None:
    sim.tool("nothing")

    async def program() -> str:
        who.set("the server")
        async with await asyncio.start_server(late, "0.0.0.0", PORT):
            who.set("a client")
            return await ask(f"http://{host}:{PORT}/")  # type: ignore[no-any-return, operator]

    run = sim.run(program)
    assert (run.output, run.latency_s) == ("the server", 2)
    assert run.unsimulated == {}


def test_clients_are_served_side_by_side(sim: Sim) -> None:
    sim.tool("nothing")

    async def program() -> list[str]:
        async with await asyncio.start_server(late, None, PORT):
            url = f"http://localhost:{PORT}/"
            asked = (ask(url) for ask in (by_httpx, by_requests, by_urllib))
            return list(await asyncio.gather(*asked))

    run = sim.run(program)
    assert (run.output, run.latency_s) == (["nobody"] * 3, 2)


def test_a_server_has_its_port_and_its_hosts_and_nobody_is_at_another(sim: Sim) -> None:
    sim.tool("nothing")

    async def program() -> list[str]:
        told = []
        async with await asyncio.start_server(late, "app.internal", PORT):
            told.append(await by_httpx(f"http://app.internal:{PORT}/"))
            for place in (f"localhost:{PORT}", "app.internal:1", f"app.example:{PORT}"):
                with pytest.raises(httpx.ConnectError, match=f"simulates no host {place}"):
                    await by_httpx(f"http://{place}/")
        with pytest.raises(httpx.ConnectError):
            await by_httpx(f"http://app.internal:{PORT}/")
        return told

    assert sim.run(program).output == ["nobody"]


def test_a_server_may_run_in_a_thread_of_its_own(sim: Sim) -> None:
    sim.tool("nothing")

    def program() -> str:
        stop = threading.Event()

        async def serve() -> None:
            async with await asyncio.start_server(late, "localhost", PORT):
                await asyncio.to_thread(stop.wait)

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        time.sleep(0.1)
        text = requests.get(f"http://localhost:{PORT}/", timeout=9).text
        stop.set()
        thread.join()
        return text

    run = sim.run(program)
    assert (run.output, run.latency_s) == ("nobody", 2.1)


def test_ports_are_of_the_run(sim: Sim) -> None:
    sim.tool("nothing")

    async def program() -> int:
        server = await asyncio.start_server(late, "localhost", 0)
        port: int = server.sockets[0].getsockname()[1]
        await asyncio.start_server(late, "localhost", PORT)
        return port  # both are left open

    assert sim.run(program).output == sim.run(program, seed=2).output


def test_a_websocket_is_refused_by_name(sim: Sim) -> None:
    sim.tool("nothing")

    async def program() -> None:
        async with (
            await asyncio.start_server(late, "localhost", PORT),
            aiohttp.ClientSession() as session,
        ):
            await session.ws_connect(f"http://localhost:{PORT}/")

    with pytest.raises(NotSimulated, match="a websocket to the server at port 8000"):
        sim.run(program)


def test_a_body_that_is_too_large_is_refused(sim: Sim) -> None:
    sim.tool("nothing")

    async def program() -> int:
        async with (
            await asyncio.start_server(late, "localhost", PORT),
            httpx.AsyncClient() as client,
        ):
            body = b"x" * (64 * 2**20 + 1)
            return (await client.post(f"http://localhost:{PORT}/", content=body)).status_code

    assert sim.run(program).output == 413


def test_a_socket_of_the_programs_own_and_a_path_are_refused_by_name(sim: Sim) -> None:
    sim.tool("nothing")

    async def program() -> None:
        await asyncio.start_unix_server(late, "/tmp/none")

    with pytest.raises(NotSimulated, match=r"loop\.create_unix_server"):
        sim.run(program)
