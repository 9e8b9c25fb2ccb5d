"""A new API is one folder, here `toy_api.py`, and one entry; everything else reads the entry."""

from __future__ import annotations

import os
import re

import httpx2
import pytest

from harness import HarnessError
from harness.apis import APIS, WireApi
from harness.run.program_world import ProgramWorld, default_providers
from harness.sim import Sim
from harness.wire.http import HttpRequest
from harness.wire.serve import greeting

URL = "https://api.toy.example/toy/say"


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = WireApi(
        name="toy",
        maker="tests.wire.toy_api:Toy",
        host="api.toy.example",
        base_path="/toy",
        endpoints=re.compile(r"/say(?=/|$)"),
        base_url="TOY_BASE_URL",
        header="toy-version",
        provided={"TOY_API_KEY": "simulated"},
    )
    monkeypatch.setitem(APIS, "toy", toy)


@pytest.fixture
def toy_sim(_registered: None) -> Sim:
    return Sim(1)


async def say(text: str, url: str = URL) -> tuple[int, str]:
    async with httpx2.AsyncClient() as client:
        answer = await client.post(url, content=text)
    return answer.status_code, answer.text


def test_it_is_served_at_its_own_host_with_no_line_of_set_up(toy_sim: Sim) -> None:
    toy_sim.agent("a", reply=lambda call: f"hello {call.prompt}")
    assert toy_sim.run(say, "you").output == (200, "hello you")


def test_it_is_found_behind_any_base_path_of_an_unknown_host(toy_sim: Sim) -> None:
    toy_sim.provider("other", api="toy", hosts=["other.example"])
    toy_sim.agent("a", reply="hello")
    assert toy_sim.run(say, "hi", "https://other.example/x/say").output == (200, "hello")


def test_it_is_told_its_options_and_no_others(toy_sim: Sim) -> None:
    toy_sim.provider("toy", shouts=True)
    toy_sim.agent("a", reply="hello")
    assert toy_sim.run(say, "hi").output == (200, "HELLO")
    with pytest.raises(HarnessError, match="shouts"):
        Sim(1).provider("toy", shoots=True)


def test_its_keys_are_there_in_a_run_and_its_base_url_is_not(
    toy_sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_BASE_URL", "https://elsewhere.example")

    async def read() -> tuple[str | None, str | None]:
        return os.environ.get("TOY_API_KEY"), os.environ.get("TOY_BASE_URL")

    assert toy_sim.run(read).output == ("simulated", None)


def test_faults_and_rate_limits_are_told_in_its_own_way(toy_sim: Sim) -> None:
    toy_sim.provider("toy", requests_per_min=1)
    toy_sim.fault("overloaded", call=1)
    toy_sim.agent("a", reply="hello")

    async def three() -> list[tuple[int, str]]:
        return [await say(text) for text in ("one", "two", "three")]

    run = toy_sim.run(three)
    assert [status for status, _ in run.output] == [503, 200, 420]
    assert run.output[2][1] == '{"no": "rate_limit_error", "model": "toy-1"}'


@pytest.mark.usefixtures("toy_sim")
def test_serve_names_it_and_knows_its_requests() -> None:
    assert "export TOY_BASE_URL=http://x:1/toy" in greeting("http://x:1", [("toy", "toy")])
    server = ProgramWorld(1, providers=default_providers(), roles=[]).server
    asked = [HttpRequest("POST", "", path, "", {}, b"") for path in ("/toy/say", "/v1/messages")]
    marked = HttpRequest("POST", "", "/v1/say", "", {"toy-version": "1"}, b"")
    hosts = [server.host_for(http) for http in (*asked, marked)]
    assert hosts == ["api.toy.example", "api.anthropic.com", "api.toy.example"]
