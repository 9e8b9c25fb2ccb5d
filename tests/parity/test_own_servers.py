"""A server of the program does in a run what it does on a real socket.

Each program is run twice, on asyncio's own loop and in a run, and must tell the same.
"""

# ruff: noqa: TID251 - programs of the user's do all of this
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from harness.sim import Sim

Program = Callable[[], Coroutine[Any, Any, Any]]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = head.split(b" ")[1]
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
    writer.write(body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def get(port: int, path: str = "/") -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}{path}")).text


async def life_of_a_server() -> list[Any]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    told: list[Any] = [host, port > 0, server.is_serving(), server.get_loop().is_running()]
    told.append(await asyncio.gather(get(port, "/a?b=1"), get(port, "/c")))
    server.close()
    await server.wait_closed()
    told += [server.sockets, server.is_serving()]
    try:
        await server.serve_forever()
    except RuntimeError as error:
        told.append(str(error)[-9:])
    return told


async def server_that_waits_to_begin() -> list[Any]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, start_serving=False)
    told: list[Any] = [server.is_serving()]
    await server.start_serving()
    port = server.sockets[0].getsockname()[1]
    told += [server.is_serving(), await get(port, "/later")]
    server.close()
    return told


async def server_for_ever() -> list[Any]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    serving = asyncio.create_task(server.serve_forever())
    told: list[Any] = [await get(port)]
    try:
        await server.serve_forever()
    except RuntimeError as error:
        told.append("already being awaited" in str(error))
    serving.cancel()
    await asyncio.wait([serving])
    return [*told, serving.cancelled(), server.is_serving()]


async def port_that_is_taken() -> list[Any]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        await asyncio.start_server(answer, "127.0.0.1", port)
    except OSError as error:
        server.close()
        again = await asyncio.start_server(answer, "127.0.0.1", port)
        again.close()
        return [error.errno, str(error).replace(str(port), "").partition(": ")[0]]
    return []


async def server_that_says_nothing() -> list[Any]:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        try:
            await get(server.sockets[0].getsockname()[1])
        except httpx.HTTPError as error:
            return [repr(error)]
    return []


async def client_that_hangs_up() -> list[Any]:
    lost = asyncio.get_running_loop().create_future()

    class Silent(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            lost.set_result(exc)

    server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    async with httpx.AsyncClient(timeout=0.05) as client:
        try:
            await client.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        except httpx.ReadTimeout:
            told = await lost
            server.close()
            return [told]
    return []


@asynccontextmanager
async def site(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def web_server_of_aiohttp() -> list[Any]:
    async def told(request: web.Request) -> web.Response:
        body = await request.read()
        return web.json_response([request.method, request.path_qs, len(body), body[-3:].decode()])

    async def parts(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in (b"one", b"two"):
            await response.write(part)
        return response

    async def broken(_: web.Request) -> web.Response:
        raise web.HTTPConflict

    app = web.Application(client_max_size=2**24)
    app.add_routes([web.put("/told", told), web.get("/parts", parts), web.get("/broken", broken)])
    async with site(app) as url, httpx.AsyncClient() as client:
        big = b"x" * 2**20 + b"end"
        return [
            (await client.put(f"{url}/told?a=1", content=big)).json(),
            (await client.get(f"{url}/parts")).text,
            [(await client.get(f"{url}/{path}")).status_code for path in ("broken", "nowhere")],
        ]


@pytest.mark.parametrize(
    "program",
    [
        life_of_a_server,
        server_that_waits_to_begin,
        server_for_ever,
        port_that_is_taken,
        server_that_says_nothing,
        client_that_hangs_up,
        web_server_of_aiohttp,
    ],
)
def test_a_server_tells_the_same_on_a_socket_and_in_a_run(program: Program) -> None:
    sim = Sim()
    sim.tool("nothing")
    simulated = sim.run(program).output
    assert simulated == asyncio.run(program())
    assert simulated
