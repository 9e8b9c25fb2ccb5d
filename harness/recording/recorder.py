"""Gives exchanges their agents and the numbers of their calls, takes secrets out, and writes them to a cassette."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from harness.apis import AGENT_HEADER
from harness.cassettes import Interaction, RecordedRequest, RecordedResponse, Timing
from harness.cassettes.asked import model_asked, system_of
from harness.cassettes.cassette import Chunk
from harness.cassettes.credentials import scrubbed_text
from harness.cassettes.errors import CassetteError
from harness.cassettes.scrubbing import Scrubbing
from harness.cassettes.writing import append
from harness.recording.tap import Exchange
from harness.wire.api import Prompt
from harness.wire.names import Names
from harness.wire.replay import own_name_here

_RETRIES = "x-stainless-retry-count"


class Recorder:
    """What records in one process; told by taps, in whatever thread they are.

    Args:
        path: The cassette.
        clock: The present moment, since the recording began [s]; the same in all its processes.
        scrubbing: What is taken out.
        wanted: Whether an exchange is recorded, by its host.
        tell: Told what cannot be recorded.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        scrubbing: Scrubbing | None = None,
        *,
        wanted: Callable[[str], bool] = lambda _: True,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._path = path
        self.clock = clock
        self._scrubbing = scrubbing or Scrubbing()
        self._wanted = wanted
        self._tell = tell or (lambda line: print(f"harness record: {line}", file=sys.stderr))  # noqa: T201 - a program's stderr
        self._lock = threading.Lock()
        self._names = Names()
        self._calls: Counter[str] = Counter()
        self._told: set[str] = set()
        self.written = 0

    def begun(self, exchange: Exchange) -> None:
        """Note who begins a request; called in the task that does."""
        exchange.caller = own_name_here()

    def ended(self, exchange: Exchange, url: str) -> None:
        """Write an exchange; one without a response cannot be, and is told."""
        if not self._wanted(urlsplit(url).hostname or ""):
            return
        if not exchange.status:
            self.lost(f"{exchange.method} {url} had no response, and is not recorded")
            return
        self.write(
            self._request_of(exchange, url), _response_of(exchange), str(exchange.caller or "")
        )

    def write(
        self, request: RecordedRequest, response: RecordedResponse, task: str, agent: str = ""
    ) -> None:
        """Write one interaction.

        Args:
            request: The request.
            response: The response.
            task: The name that the program gave its task.
            agent: Who asked; empty if it has to be found.
        """
        try:
            scrubbing = self._scrubbing.knowing(request, response)
            request, response = scrubbing.request(request), scrubbing.response(response)
            with self._lock:
                self._append(request, response, task, agent)
        except CassetteError as error:
            self.lost(str(error))
        except Exception as error:  # noqa: BLE001 - the program goes on; nothing is written that may hold a secret
            self.lost(f"an exchange is not recorded: {type(error).__name__}: {error}")

    def _append(
        self, request: RecordedRequest, response: RecordedResponse, task: str, agent: str
    ) -> None:
        agent, call = self._number(request, agent)
        self.written += 1
        append(
            self._path,
            Interaction(
                number=self.written,
                request=request,
                response=response,
                agent=self._scrubbing.text(agent),
                call=call,
                task=self._scrubbing.text(task),
            ),
        )

    def lost(self, why: str) -> None:
        """Tell once what cannot be recorded."""
        why = scrubbed_text(why)
        if why not in self._told:
            self._told.add(why)
            self._tell(why)

    def _number(self, request: RecordedRequest, agent: str) -> tuple[str, int]:
        """Who asks, and which call of that agent it is; a retry is the same call again."""
        model = model_asked(request)
        headers = {name.lower(): value for name, value in request.headers}
        agent = agent or headers.get(AGENT_HEADER, "")
        if not agent and model:
            prompt = Prompt(model=model, system=system_of(request), conversation=(), sections=())
            agent = self._names.of(prompt)
        if not agent:
            return "", 0
        if not re.fullmatch(r"[1-9]\d*", headers.get(_RETRIES, "0")):
            self._calls[agent] += 1
        return agent, self._calls[agent]

    def _request_of(self, exchange: Exchange, url: str) -> RecordedRequest:
        return RecordedRequest(
            method=exchange.method,
            url=url,
            headers=tuple(exchange.request_headers),
            body=bytes(exchange.request_body),
        )


def _response_of(exchange: Exchange) -> RecordedResponse:
    began_s = exchange.began_s
    return RecordedResponse(
        status=exchange.status,
        reason=exchange.reason,
        headers=tuple(exchange.headers),
        body=bytes(exchange.body),
        timing=Timing(
            start_s=began_s,
            headers_s=exchange.headers_s - began_s,
            chunks=tuple(Chunk(at_s - began_s, size) for at_s, size in exchange.chunks),
            end_s=exchange.end_s - began_s,
            complete=exchange.complete,
        ),
    )


def recording(recorder: Recorder) -> ExitStack:
    """Put taps into the HTTP clients of this process; closing takes them out."""
    from harness.recording.seams import put_in

    return put_in(recorder)
