"""A program with blocking clients in many threads, which prints the hash of its run; for runs in other processes."""

from __future__ import annotations

import hashlib
import json
import random  # noqa: TID251 - a program of a user
import time  # noqa: TID251 - likewise
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import anthropic
import requests
import urllib3

from harness.sim import ProgramRun, Sim
from harness.spans import as_json_lines

URL = "https://api.openai.com/v1/chat/completions"
HEADERS = {"authorization": "Bearer key", "content-type": "application/json"}


def body_of(said: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a request
    return {"model": "gpt-5", "messages": [{"role": "user", "content": said}], **rest}


def by_requests(session: requests.Session, number: int) -> str:
    time.sleep(random.random())
    answer = session.post(URL, json=body_of(f"question {number % 3}"), headers=HEADERS, timeout=20)
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["message"]["content"])


def by_stream(session: requests.Session, number: int) -> str:
    body = body_of(f"tell me {number}", stream=True)
    with session.post(URL, json=body, headers=HEADERS, timeout=20, stream=True) as answer:
        return f"{sum(1 for line in answer.iter_lines() if line)} lines"


def by_urllib(_: requests.Session, number: int) -> str:
    request = urllib.request.Request(URL, json.dumps(body_of(str(number))).encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.status)


def by_sdk(_: requests.Session, number: int) -> str:
    message = anthropic.Anthropic().messages.create(
        model="claude-sonnet-4-6", max_tokens=100, system="You are a worker.",
        messages=[{"role": "user", "content": f"question {number}"}],
    )  # fmt: skip
    return message.id


def program() -> list[str]:
    said = []
    retry = urllib3.Retry(
        3, backoff_factor=0.5, backoff_jitter=1, status_forcelist=[503], allowed_methods=None
    )
    with requests.Session() as session, ThreadPoolExecutor(5) as pool:
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=3, pool_block=True, max_retries=retry)
        session.mount("https://", adapter)
        asks = [by_requests, by_stream, by_urllib, by_sdk] * 5
        asked = [pool.submit(ask, session, number) for number, ask in enumerate(asks)]
        for future in as_completed(asked):
            try:
                said.append(future.result())
            except Exception as error:  # noqa: BLE001 - any of four clients
                said.append(type(error).__name__)
    return said


def run() -> ProgramRun:
    sim = Sim(3)
    sim.provider("openai", concurrency=4)
    sim.agent("worker", system="*worker*")
    sim.agent("others")
    sim.fault("status", status=503, probability=0.3)
    sim.fault("reset_midway", probability=0.1)
    sim.fault("stall", probability=0.1)
    return sim.run(program)


def digest(found: ProgramRun) -> str:
    whole = as_json_lines(found.spans_table) + repr(found.output)
    return hashlib.sha256(whole.encode()).hexdigest()


if __name__ == "__main__":
    print(digest(run()))  # noqa: T201 - it is run as a program
