"""Simulated A2A agents, by a client that is written here."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from harness.errors import HarnessError, NotSimulated
from harness.sim import Sim
from harness.spans import as_json_lines

URL = "http://researcher.test/a2a"
Json = Any


def message(text: str, **more: object) -> dict[str, Any]:
    said = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": text}], **more}
    return {"message": said}


async def ask(method: str, **params: object) -> Json:
    """The result or the error of a request; all events of a stream."""
    async with httpx.AsyncClient(timeout=60) as client:
        sent = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        response = await client.post(URL, json=sent)
    if response.headers["content-type"] == "text/event-stream":
        lines = response.text.split("data: ")[1:]
        return [json.loads(line)["result"] for line in lines]
    answer = response.json()
    return answer.get("result", answer.get("error"))


def texts_of(task: Json) -> list[Json]:
    return [
        next(iter(part.values())) for artifact in task["artifacts"] for part in artifact["parts"]
    ]


def test_a_message_is_answered_after_its_time(sim: Sim) -> None:
    agent = sim.a2a("researcher", url=URL, reply=["one", {"two": 2}], latency_s=5)
    run = sim.run(ask, "SendMessage", **message("lamps"))
    assert texts_of(run.output["task"]) == ["one", {"two": 2}]
    assert run.latency_s == 5
    assert agent.uses == ["lamps"]
    assert "tool researcher of the program" in run.timeline()


@pytest.mark.parametrize(
    "path", ["/.well-known/agent-card.json", "/a2a/.well-known/agent-card.json"]
)
def test_the_card_is_where_clients_look_for_it(sim: Sim, path: str) -> None:
    sim.a2a("researcher", url=URL, skills=["research"], description="Knows it all.")

    async def main() -> Json:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://researcher.test{path}")).json()

    card = sim.run(main).output
    assert (card["name"], card["description"]) == ("researcher", "Knows it all.")
    assert card["supportedInterfaces"][0]["url"] == URL


def test_agents_work_side_by_side_and_functions_may_wait(sim: Sim) -> None:
    async def reply(text: str) -> str:
        await asyncio.sleep(float(text))
        return f"after {text} s"

    sim.a2a("researcher", url=URL, reply=reply, latency_s=1)

    async def main() -> list[Json]:
        asked = (ask("SendStreamingMessage", **message(text)) for text in ("2", "4"))
        return [events[-2]["artifactUpdate"]["artifact"] for events in await asyncio.gather(*asked)]

    run = sim.run(main)
    assert [artifact["parts"] for artifact in run.output] == [
        [{"text": "after 2 s"}],
        [{"text": "after 4 s"}],
    ]
    assert run.latency_s == 5


def test_the_same_seed_gives_the_same_ids_and_spans(sim: Sim) -> None:
    sim.a2a("researcher", url=URL)
    first, again, other = (
        sim.run(ask, "SendMessage", seed=seed, **message("lamps")) for seed in (1, 1, 2)
    )
    assert first.output == again.output
    assert as_json_lines(first.spans_table) == as_json_lines(again.spans_table)
    assert first.output != other.output


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("GetTask", {"id": "x"}, -32001),
        ("CancelTask", {"id": "x"}, -32001),
        ("SendMessage", {}, -32602),
        ("SendMessage", message("lamps", taskId="x"), -32001),
        ("CreateTaskPushNotificationConfig", {"taskId": "x", "url": "http://a.test/"}, -32001),
        ("RenameTaskPushNotificationConfig", {"taskId": "x"}, -32601),
        ("GetExtendedAgentCard", {}, -32007),
        ("Sing", {}, -32601),
    ],
)
def test_what_cannot_be_done_has_the_code_of_the_protocol(
    sim: Sim, method: str, params: dict[str, Any], code: int
) -> None:
    sim.a2a("researcher", url=URL)
    assert sim.run(ask, method, **params).output["code"] == code


def test_a_function_that_raises_fails_the_task(sim: Sim) -> None:
    def reply(text: str) -> str:
        raise LookupError(f"nothing on {text}")

    sim.a2a("researcher", url=URL, reply=reply)
    status = sim.run(ask, "SendMessage", **message("lamps")).output["task"]["status"]
    assert status["state"] == "TASK_STATE_FAILED"
    assert status["message"]["parts"] == [{"text": "nothing on lamps"}]


def test_a_client_of_the_older_protocol_is_refused_by_name(sim: Sim) -> None:
    sim.a2a("researcher", url=URL)
    with pytest.raises(NotSimulated, match="`message/send` of the A2A agent 'researcher'"):
        sim.run(ask, "message/send", **message("lamps"))


def test_an_agent_has_a_host_and_a_port_of_its_own() -> None:
    sim = Sim()
    sim.mcp("files", url="http://files.test/mcp")
    sim.a2a("researcher", url=URL)
    for url in ("http://files.test/", URL, "http://researcher.test/other"):
        with pytest.raises(HarnessError, match=r"the (MCP|A2A) .* is at .*:80 already"):
            sim.a2a("other", url=url)
    with pytest.raises(HarnessError, match=r"sim\.a2a.'other'.: url is where clients connect"):
        sim.a2a("other", url="researcher")
    with pytest.raises(HarnessError, match=r"sim\.mcp.'late'.: the A2A agent 'researcher' is at"):
        sim.mcp("late", url="http://researcher.test/mcp")
