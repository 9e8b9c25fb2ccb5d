"""requests, urllib3, urllib and http.client against simulated providers: pools, streams, timeouts, retries, broken connections."""

# ruff: noqa: ANN401 - programs of the user's, with several clients

from __future__ import annotations

import errno
import http.client
import json
import select
import socket
import time  # noqa: TID251 - programs of the user's read it
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest
import requests
import urllib3
from urllib3.util.connection import is_connection_dropped

from harness.errors import UnknownHost
from harness.sim import Sim

PATH = "/v1/chat/completions"
URL = f"https://api.openai.com{PATH}"
HEADERS = {"authorization": "Bearer key", "content-type": "application/json"}
PROFILE = {"ttft_s": 1.0, "itl_s": 0.5}


def body_of(said: str, **rest: Any) -> dict[str, Any]:
    return {"model": "gpt-5", "messages": [{"role": "user", "content": said}], **rest}


def sim_with(**agent: Any) -> Sim:
    sim = Sim(1)
    sim.agent("agent", **{"reply": "hello", "latency_s": 2.0, **agent})
    return sim


def text_of(answer: Any) -> str:
    return answer["choices"][0]["message"]["content"]  # type: ignore[no-any-return]


def by_requests(said: str = "hi", **options: Any) -> str:
    response = requests.post(URL, json=body_of(said), headers=HEADERS, timeout=30, **options)
    response.raise_for_status()
    return text_of(response.json())


def by_urllib3(said: str = "hi", **options: Any) -> str:
    options = {"timeout": 30, "retries": False, **options}
    return text_of(
        urllib3.request("POST", URL, json=body_of(said), headers=HEADERS, **options).json()
    )


def by_urllib(said: str = "hi") -> str:
    request = urllib.request.Request(URL, json.dumps(body_of(said)).encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=30) as response:
        return text_of(json.load(response))


def by_http_client(said: str = "hi") -> str:
    connection = http.client.HTTPSConnection("api.openai.com", timeout=30)
    connection.request("POST", PATH, json.dumps(body_of(said)), HEADERS)
    return text_of(json.load(connection.getresponse()))


CLIENTS = [by_requests, by_urllib3, by_urllib, by_http_client]


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", CLIENTS)
def test_answer_comes_after_its_latency(ask: Callable[[], str]) -> None:
    run = sim_with().run(ask)
    assert (run.output, run.latency_s) == ("hello", 2.0)
    assert len(run.calls("agent")) == 1
    assert run.unsimulated == {}


@pytest.mark.parametrize("ask", CLIENTS)
def test_threads_ask_side_by_side(ask: Callable[[str], str]) -> None:
    def program() -> list[str]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(ask, ["one", "two", "three"]))

    sim = sim_with(reply=lambda call: f"to {call.prompt}")
    run = sim.run(program)
    assert (run.output, run.latency_s) == (["to one", "to two", "to three"], 2.0)


def test_session_keeps_its_connection() -> None:
    def program() -> int:
        with requests.Session() as session:
            for said in ("one", "two", "three"):
                session.post(URL, json=body_of(said), headers=HEADERS, timeout=9)
            adapter: Any = session.get_adapter(URL)
            (pool,) = adapter.poolmanager.pools._container.values()
            return pool.num_connections  # type: ignore[no-any-return]

    run = sim_with().run(program)
    assert (run.output, run.latency_s) == (1, 6.0)


def test_http_client_uses_its_connection_again() -> None:
    def program() -> list[bool]:
        connection = http.client.HTTPSConnection("api.openai.com")
        found = []
        for said in ("one", "two"):
            connection.request("POST", PATH, json.dumps(body_of(said)), HEADERS)
            opened = connection.sock
            connection.getresponse().read()
            found.append(opened is connection.sock)
        connection.close()
        return found

    assert sim_with().run(program).output == [True, True]


def test_idle_connection_that_the_server_has_closed_is_not_used_again() -> None:
    def program() -> tuple[list[bool], bool]:
        with urllib3.HTTPSConnectionPool("api.openai.com") as client:
            client.request("POST", PATH, json=body_of("one"), headers=HEADERS)
            assert client.pool is not None
            idle: Any = client.pool.queue[-1]
            first = idle.sock
            dropped = [is_connection_dropped(idle)]
            first._connection.close()
            dropped.append(is_connection_dropped(idle))
            client.request("POST", PATH, json=body_of("two"), headers=HEADERS)
            return dropped, idle.sock is first

    run = sim_with().run(program)
    assert run.output == ([False, True], False)
    assert len(run.calls("agent")) == 2


def test_full_pool_lets_a_thread_wait_for_a_connection() -> None:
    def program() -> None:
        client = urllib3.PoolManager(maxsize=1, block=True)

        def ask(said: str) -> None:
            client.request("POST", URL, json=body_of(said), headers=HEADERS)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(ask, ["one", "two", "three"]))

    assert sim_with().run(program).latency_s == 6.0


def test_lines_of_a_stream_come_one_after_the_other() -> None:
    def program() -> list[float]:
        began_s = time.monotonic()
        with requests.post(
            URL, json=body_of("hi", stream=True), headers=HEADERS, stream=True, timeout=9
        ) as response:
            return [
                time.monotonic() - began_s
                for line in response.iter_lines()
                if b'"content":"' in line and b'"content":""' not in line
            ]

    sim = Sim(1)
    sim.agent("agent", reply="one two three four", latency_s=PROFILE, output_tokens=4)
    run = sim.run(program)
    assert run.output == sorted(set(run.output))
    assert (len(run.output), run.output[0], run.output[-1]) == (4, 1.0, 3.0)


def test_stream_that_is_left_is_hung_up() -> None:
    def program() -> None:
        with requests.post(
            URL, json=body_of("hi", stream=True), headers=HEADERS, stream=True, timeout=9
        ) as response:
            next(response.iter_lines())

    sim = Sim(1)
    sim.agent("agent", reply="one two three four", latency_s=PROFILE, output_tokens=4)
    run = sim.run(program)
    assert [attempt.status for attempt in run.calls("agent")[0].attempts] == ["cancelled"]


def test_body_from_a_generator_arrives_whole() -> None:
    def pieces() -> Iterator[bytes]:
        whole = json.dumps(body_of("in pieces")).encode()
        for at in range(0, len(whole), 20):
            yield whole[at : at + 20]

    def program() -> str:
        return text_of(requests.post(URL, data=pieces(), headers=HEADERS, timeout=9).json())

    assert sim_with(reply=lambda call: call.prompt).run(program).output == "in pieces"


def test_certificate_that_is_not_verified_is_warned_of() -> None:
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning, match="api.openai.com"):
        sim_with().run(by_requests, verify=False)


@pytest.mark.parametrize("host", ["API.OpenAI.com", "api.openai.com."])
def test_host_is_found_however_it_is_spelled(host: str) -> None:
    def program() -> int:
        connection = http.client.HTTPSConnection(host)
        connection.request("GET", "/v1/models", headers=HEADERS)
        return connection.getresponse().status

    assert sim_with().run(program).output == 200


def test_proxy_of_the_program_is_a_host_like_any_other() -> None:
    with pytest.raises(UnknownHost, match=r"no host proxy\.example\.com:3128"):
        sim_with().run(by_requests, proxies={"https": "http://proxy.example.com:3128"})


# -- timeouts and retries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (by_requests, requests.ReadTimeout),
        (by_urllib3, urllib3.exceptions.ReadTimeoutError),
        (by_urllib, TimeoutError),
        (by_http_client, TimeoutError),
    ],
)
def test_answer_that_does_not_come_in_time_is_given_up(ask: Any, error: type[Exception]) -> None:
    sim = sim_with()
    sim.fault("hang")
    with pytest.raises(error, match=r"[Tt]imed out|The read operation timed out"):
        sim.run(ask)
    assert sim.last_run.latency_s == 30.0


def test_retries_wait_as_the_client_is_told_and_as_the_server_says() -> None:
    def program() -> str:
        with requests.Session() as session:
            retry = urllib3.Retry(
                5, backoff_factor=1, status_forcelist=[429, 503], allowed_methods=["POST"]
            )
            session.mount("https://", requests.adapters.HTTPAdapter(max_retries=retry))
            response = session.post(URL, json=body_of("hi"), headers=HEADERS, timeout=30)
            return text_of(response.json())

    sim = sim_with()
    sim.fault("status", status=503, attempt=1)
    sim.fault("status", status=503, attempt=2)
    sim.fault("status", status=429, retry_after_s=20, attempt=3)
    run = sim.run(program)
    (call,) = run.calls("agent")
    assert [attempt.status for attempt in call.attempts] == ["error", "error", "error", "ok"]
    # Three refusals, no wait before the second attempt, 2 s before the third, 20 s before the fourth.
    assert run.latency_s == pytest.approx(3 * 0.05 + 0 + 2 + 20 + 2.0, abs=1e-9)


def test_connection_that_is_refused_is_tried_again_although_it_is_a_post() -> None:
    sim = sim_with()
    sim.fault("refused", attempt=1)
    run = sim.run(by_urllib3, retries=urllib3.Retry(connect=2, read=0))
    assert run.output == "hello"
    assert len(run.calls("agent")[0].attempts) == 2


def test_each_thread_goes_on_with_its_own_call() -> None:
    """Both send the same bytes, fail at the same time, and try again at the same time."""
    sim = sim_with()
    sim.fault("status", status=503, attempt=1)
    retry = urllib3.Retry(3, backoff_factor=1, status_forcelist=[503], allowed_methods=["POST"])

    def program() -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(by_urllib3, retries=retry) for _ in range(2)]
            return [future.result() for future in asked]

    run = sim.run(program)
    assert [len(call.attempts) for call in run.calls("agent")] == [2, 2]


# -- broken connections -----------------------------------------------------------------------------------------------

Errors = requests.exceptions


@pytest.mark.parametrize(
    ("fault", "of_requests", "of_urllib"),
    [
        ("refused", Errors.ConnectionError, urllib.error.URLError),
        ("dns_failure", Errors.ConnectionError, urllib.error.URLError),
        ("tls_failure", Errors.SSLError, urllib.error.URLError),
        ("reset", Errors.ConnectionError, ConnectionResetError),
        ("reset_midway", Errors.ConnectionError, ConnectionResetError),
        ("truncated_json", Errors.ChunkedEncodingError, http.client.IncompleteRead),
        ("corrupt_chunk", Errors.ChunkedEncodingError, http.client.IncompleteRead),
        ("corrupt_gzip", Errors.ContentDecodingError, UnicodeDecodeError | ValueError),
        ("invalid_json", Errors.JSONDecodeError, json.JSONDecodeError),
        ("html_error", Errors.HTTPError, urllib.error.HTTPError),
        ("overloaded", Errors.HTTPError, urllib.error.HTTPError),
        ("stall", Errors.ReadTimeout, TimeoutError),
    ],
)
def test_fault_is_the_error_that_production_raises(
    fault: str, of_requests: Any, of_urllib: Any
) -> None:
    for ask, expected in ((by_requests, of_requests), (by_urllib, of_urllib)):
        sim = sim_with()
        sim.fault(fault)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - checked below
            sim.run(ask)
        assert isinstance(caught.value, expected)
        assert sim.last_run.calls("agent")[0].attempts[0].fault == fault


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refused", urllib3.exceptions.NewConnectionError),
        ("dns_failure", urllib3.exceptions.NameResolutionError),
        ("tls_failure", urllib3.exceptions.SSLError),
    ],
)
def test_reason_of_urllib3_tells_why_there_is_no_connection(
    fault: str, reason: type[Exception]
) -> None:
    sim = sim_with()
    sim.fault(fault)
    with pytest.raises(urllib3.exceptions.MaxRetryError) as caught:
        sim.run(by_urllib3, retries=0)
    assert type(caught.value.reason) is reason


def test_failed_connection_is_replaced_by_a_new_one() -> None:
    def program() -> list[str]:
        found = []
        with requests.Session() as session:
            for said in ("one", "two", "three"):
                try:
                    answer = session.post(URL, json=body_of(said), headers=HEADERS, timeout=30)
                    found.append(text_of(answer.json()))
                except requests.RequestException as error:
                    found.append(type(error).__name__)
        return found

    sim = sim_with()
    sim.fault("reset_midway", call=2)
    assert sim.run(program).output == ["hello", "ConnectionError", "hello"]


# -- the socket -------------------------------------------------------------------------------------------------------


def opened() -> tuple[http.client.HTTPConnection, Any]:
    """A connection on which an answer is due."""
    connection = http.client.HTTPConnection("api.openai.com")
    connection.request("POST", PATH, json.dumps(body_of("hi")), HEADERS)
    return connection, connection.sock


def test_socket_that_may_not_wait_says_that_nothing_is_there() -> None:
    def program() -> int | None:
        _, sock = opened()
        sock.setblocking(False)
        with pytest.raises(BlockingIOError) as caught:
            sock.recv(10)
        return caught.value.errno

    assert sim_with().run(program).output == errno.EAGAIN


@pytest.mark.parametrize("timeout_s", [None, 5.0])
def test_select_and_poll_wait_for_an_answer_in_virtual_time(timeout_s: float | None) -> None:
    def program() -> list[Any]:
        connection, sock = opened()
        polled = select.poll()
        polled.register(sock, select.POLLIN)
        found: list[Any] = [select.select([sock], [], [], 0.5)[0], polled.poll(500)]
        found.append(select.select([sock], [sock], [], timeout_s) == ([], [sock], []))
        found.append(select.select([sock], [], [], timeout_s)[0] == [sock])
        found += [time.monotonic(), polled.poll() == [(sock.fileno(), select.POLLIN)]]
        connection.getresponse().read()
        connection.close()
        return [*found, sock.fileno()]

    assert sim_with().run(program).output == [[], [], True, True, 2.0, True, -1]


def test_shutdown_ends_a_read_that_waits_in_another_thread() -> None:
    def program() -> tuple[bytes, float]:
        _, sock = opened()
        found: list[bytes] = []
        thread = Thread(target=lambda: found.append(sock.recv(10)))
        thread.start()
        time.sleep(1)
        sock.shutdown(socket.SHUT_RDWR)
        thread.join()
        return found[0], time.monotonic()

    assert sim_with().run(program).output == (b"", 1.0)


def test_closed_socket_is_a_bad_descriptor() -> None:
    def program() -> int | None:
        connection, sock = opened()
        connection.close()
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            sock.sendall(b"x")
        return caught.value.errno

    assert sim_with().run(program).output == errno.EBADF


def test_text_is_no_data() -> None:
    def program() -> None:
        opened()[1].sendall("text")

    with pytest.raises(TypeError, match="bytes-like object is required, not 'str'"):
        sim_with().run(program)
