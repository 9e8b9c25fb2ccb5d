"""Push notifications of simulated A2A agents, to servers that the program runs and to places where nobody is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from harness.sim import ProgramRun, Sim
from harness.sim.a2a import SimA2a
from harness.spans import as_json_lines

URL = "http://researcher.test/"
HOOK = "http://localhost:9000/hook?for=me"
Json = Any
Heard = list[tuple[float, str]]
"""When notifications came, and what they said."""


@pytest.fixture
def researcher(sim: Sim) -> SimA2a:
    return sim.a2a("researcher", url=URL, reply="all about lamps", latency_s=30)


async def ask(method: str, **params: object) -> Json:
    """The result or the error of a request."""
    async with httpx.AsyncClient(timeout=60) as client:
        sent = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = (await client.post(URL, json=sent)).json()
    return answer.get("result", answer.get("error"))


async def begun(**config: object) -> Json:
    """A task whose notifications are configured with its first message."""
    message = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "lamps"}]}
    settings: dict[str, object] = {"returnImmediately": True}
    if config:
        settings["taskPushNotificationConfig"] = config
    answer = await ask("SendMessage", message=message, configuration=settings)
    return answer.get("task", answer)


class Hook:
    """A web server of the program, which hears of tasks."""

    def __init__(self, takes_s: float = 0.0, status: int = 200) -> None:
        self.heard: Heard = []
        self.requests: list[web.Request] = []
        self.events: list[Json] = []
        self._takes_s = takes_s
        self._status = status

    async def hear(self, request: web.Request) -> web.Response:
        event = await request.json()
        status = event.get("statusUpdate", {}).get("status", {"state": "artifact"})
        self.events.append(event)
        self.requests.append(request)
        now_s = asyncio.get_running_loop().time()
        self.heard.append((now_s, status["state"].removeprefix("TASK_STATE_")))
        await asyncio.sleep(self._takes_s)
        return web.Response(status=self._status)


@asynccontextmanager
async def listening(hook: Hook | None = None) -> AsyncIterator[Hook]:
    hook = hook or Hook()
    app = web.Application()
    app.add_routes([web.post("/hook", hook.hear)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 9000).start()
    yield hook
    await runner.cleanup()


async def followed(hook: Hook | None = None, **config: object) -> Heard:
    """What is heard of one task in a minute."""
    async with listening(hook) as there:
        await begun(**{"url": HOOK, **config})
        await asyncio.sleep(60)
        return there.heard


WHOLE = [(0, "WORKING"), (30, "artifact"), (30, "COMPLETED")]


def failures(run: ProgramRun) -> list[str]:
    events = run.events()
    return list(events[events["name"] == "notification_failed"]["detail"])


def test_each_event_is_posted_when_it_happens(sim: Sim, researcher: SimA2a) -> None:
    async def program() -> list[Json]:
        async with listening() as hook:
            task = await begun(url=HOOK)
            await asyncio.sleep(60)
            where = {"taskId": task["id"], "contextId": task["contextId"]}
            update, artifact, last = (next(iter(one.values())) for one in hook.events)
            assert {**update, **where} == update
            assert artifact["artifact"]["parts"] == [{"text": "all about lamps"}]
            assert last == {**where, "status": {"state": "TASK_STATE_COMPLETED"}}
            assert {one.query_string for one in hook.requests} == {"for=me"}
            assert {one.content_type for one in hook.requests} == {"application/a2a+json"}
            return [hook.heard, task["id"]]

    run = sim.run(program)
    heard, task_id = run.output
    assert heard == WHOLE
    assert [str(one) for one in run.effects("researcher push")] == [
        f"researcher push(event={what} of task {task_id}, url={HOOK!r})"
        for what in ("TASK_STATE_WORKING", "artifact", "TASK_STATE_COMPLETED")
    ]
    assert researcher.uses == ["lamps"]


@pytest.mark.parametrize(
    ("config", "token", "authorization"),
    [
        ({}, None, None),
        ({"token": "secret"}, "secret", None),
        ({"authentication": {"scheme": "Bearer", "credentials": "key"}}, None, "Bearer key"),
        ({"authentication": {"scheme": "Bearer"}}, None, None),
    ],
)
def test_the_server_knows_the_sender_by_its_headers(
    sim: Sim, researcher: SimA2a, config: Json, token: str | None, authorization: str | None
) -> None:
    async def program() -> None:
        async with listening() as hook:
            await begun(url=HOOK, **config)
            await asyncio.sleep(1)
            headers = hook.requests[0].headers
            assert headers.get("X-A2A-Notification-Token") == token
            assert headers.get("Authorization") == authorization

    run = sim.run(program)
    assert "secret" not in as_json_lines(run.spans_table)


def test_the_card_offers_them(sim: Sim, researcher: SimA2a) -> None:
    async def program() -> Json:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{URL}.well-known/agent-card.json")).json()

    assert sim.run(program).output["capabilities"]["pushNotifications"] is True


def test_configurations_are_made_found_listed_and_deleted(sim: Sim, researcher: SimA2a) -> None:
    async def program() -> Heard:
        task_id = (await begun())["id"]
        one = await ask("CreateTaskPushNotificationConfig", taskId=task_id, url=HOOK, token="t")
        assert one == {"id": task_id, "taskId": task_id, "url": HOOK, "token": "t"}
        two = await ask("CreateTaskPushNotificationConfig", taskId=task_id, id="2", url=HOOK)
        listed = await ask("ListTaskPushNotificationConfigs", taskId=task_id)
        assert listed["configs"] == [one, two]
        assert await ask("GetTaskPushNotificationConfig", taskId=task_id, id="2") == two
        for _ in range(2):  # what is not there is deleted as well
            await ask("DeleteTaskPushNotificationConfig", taskId=task_id, id=task_id)
        gone = await ask("GetTaskPushNotificationConfig", taskId=task_id, id=task_id)
        assert gone["code"] == -32001
        async with listening() as hook:
            await asyncio.sleep(60)
        return hook.heard

    assert sim.run(program).output == WHOLE[1:]


def test_a_configuration_of_the_same_id_takes_the_place_of_the_first(
    sim: Sim, researcher: SimA2a
) -> None:
    async def program() -> Heard:
        async with listening() as hook:
            task_id = (await begun(url="http://localhost:1/"))["id"]
            await ask("CreateTaskPushNotificationConfig", taskId=task_id, url=HOOK)
            await asyncio.sleep(60)
        return hook.heard

    assert sim.run(program).output == WHOLE[1:]


@pytest.mark.parametrize(
    "config",
    [
        {"token": "t"},
        {"url": ""},
        {"url": "hook"},
        {"url": "ftp://a.test/"},
        {"url": "http://[/"},
        {"url": "http://a.test:99999/"},
        {"url": "http://a.test/a b"},
        {"url": HOOK, "token": 1},
        {"url": HOOK, "token": "a\r\nb: c"},
        {"url": HOOK, "authentication": "Bearer"},
        {"url": HOOK, "id": ["x"]},
    ],
)
def test_a_wrong_configuration_is_refused_and_begins_no_task(
    sim: Sim, researcher: SimA2a, config: Json
) -> None:
    async def program() -> None:
        assert (await begun(**config))["code"] == -32602
        assert (await ask("ListTasks"))["tasks"] == []
        task_id = (await begun())["id"]
        told = await ask("CreateTaskPushNotificationConfig", taskId=task_id, **config)
        assert told["code"] == -32602

    sim.run(program)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://app.example/hook", "no server of the run is at https://app.example/hook"),
        ("http://localhost:9001/", "no server of the run is at http://localhost:9001/"),
    ],
)
def test_a_place_where_nobody_is_gets_nothing_and_is_told_by_name(
    sim: Sim, researcher: SimA2a, url: str, why: str
) -> None:
    run = sim.run(followed, url=url)
    assert run.output == []
    assert failures(run) == [why] * 3
    assert run.unsimulated == {httpx.URL(url).host: 3}
    assert not run.effects("researcher push")
    assert run.timeline().count("researcher push of the program [NotDelivered]") == 3
    assert httpx.URL(url).host in run.explain()


def test_a_server_that_refuses_or_sleeps_is_told_and_asked_again_by_the_next_event_alone(
    sim: Sim, researcher: SimA2a
) -> None:
    refusing = sim.run(followed, Hook(status=500))
    assert refusing.output == WHOLE
    assert failures(refusing) == [f"{HOOK} answered 500"] * 3
    sleeping = sim.run(followed, Hook(takes_s=20))
    assert sleeping.output == [(0, "WORKING"), (30, "artifact"), (35, "COMPLETED")]
    assert failures(sleeping) == [f"{HOOK} did not answer in 5 s"] * 3


def test_a_slow_server_gets_one_event_after_another(sim: Sim, researcher: SimA2a) -> None:
    assert sim.run(followed, Hook(takes_s=2)).output == [
        (0, "WORKING"),
        (30, "artifact"),
        (32, "COMPLETED"),
    ]


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ({"kind": "effect_lost"}, [WHOLE[0], WHOLE[2]]),
        ({"kind": "tool_fails"}, [WHOLE[0], WHOLE[2]]),
        ({"kind": "effect_twice"}, [WHOLE[0], WHOLE[1], WHOLE[1], WHOLE[2]]),
        (
            {"kind": "tool_hangs", "for_s": 4},
            [WHOLE[0], (34, "artifact"), (34, "COMPLETED")],
        ),
    ],
)
def test_notifications_are_lost_doubled_and_late_by_faults_of_tools(
    sim: Sim, researcher: SimA2a, fault: Json, heard: Heard
) -> None:
    sim.fault(**fault, tool="researcher push", call=2)
    assert sim.run(followed).output == heard


def test_who_loses_the_answer_still_hears_of_the_end(sim: Sim, researcher: SimA2a) -> None:
    sim.fault("reply_lost", tool="researcher")
    assert sim.run(followed).output == WHOLE


def test_a_task_that_fails_or_is_cancelled_is_told(sim: Sim, researcher: SimA2a) -> None:
    async def cancelling() -> Heard:
        async with listening() as hook:
            task = await begun(url=HOOK)
            await asyncio.sleep(10)
            await ask("CancelTask", id=task["id"])
            await asyncio.sleep(50)
            return hook.heard

    assert sim.run(cancelling).output == [(0, "WORKING"), (10, "CANCELED")]
    sim = Sim()
    sim.a2a("researcher", url=URL, latency_s=30)
    sim.fault("tool_fails", tool="researcher")
    assert sim.run(followed).output == [(0, "WORKING"), (30, "FAILED")]


def test_the_same_seed_gives_the_same_notifications(sim: Sim, researcher: SimA2a) -> None:
    first, again = (sim.run(followed, seed=3) for _ in range(2))
    assert first.output == again.output == WHOLE
    assert as_json_lines(first.spans_table) == as_json_lines(again.spans_table)


def test_a_run_that_ends_sends_nothing_more(sim: Sim, researcher: SimA2a) -> None:
    async def program() -> None:
        await begun(url=HOOK)

    run = sim.run(program)
    assert run.latency_s == 0
