"""The server behind simulated connections: it handles one request after the other.

    request complete -> read by its API -> given to an agent -> judged by the fault plan -> content from the agent's model
    -> submitted to the provider, who says when and whether -> put into bytes by the API -> sent, each part at its time

The server itself knows nothing about the format of an API, the content of replies, or the latency of a provider.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from harness.apis import AGENT_HEADER
from harness.cassettes import RecordedResponse
from harness.chance import Draws
from harness.errors import NotSimulated, UnknownHost
from harness.kernel import Kernel
from harness.kernel.current_world import lineage_here
from harness.kernel.lineage import Lineage
from harness.kernel.process import Process, Steps
from harness.models import Backend, Request
from harness.models.attempt import made_aside
from harness.models.content import Said
from harness.models.meaning import Ledger, Mind, Traits
from harness.models.verdict import Judge
from harness.provider import Latency, Refusal, Served
from harness.provider.limits import NO_QUOTA
from harness.provider.service import REFUSAL_S
from harness.spans import CALL, SpanLog
from harness.texts import Texts
from harness.virtual.aside import Aside
from harness.wire.api import Api, Feed, Ids, Job, Moment, Prompt, Understood
from harness.wire.background_work import BackgroundWork
from harness.wire.batch_work import BatchWork
from harness.wire.bounds import Bounds, StopTask
from harness.wire.call import Call, request_of
from harness.wire.calls import Calls
from harness.wire.dialects.dialect import Refused
from harness.wire.exchange import Exchange
from harness.wire.http import Connection, HttpRequest, HttpResponse
from harness.wire.network import unknown_host
from harness.wire.peers import NO_PEERS, Peers
from harness.wire.progress import Progress
from harness.wire.replay import RecordedAsk, Replay, own_name_here
from harness.wire.replayed_bytes import plain_steps
from harness.wire.roles import Roles
from harness.wire.rounds import report_of_calls
from harness.wire.routing import AgentRule, Scope, context_of, scope_here
from harness.wire.sites import Endpoint, Site, Sites
from harness.wire.unsimulated import Unsimulated

_FIRST_ERROR_STATUS = 400
_NOT_FOUND = 404

_DIGEST_SHOWN = 12
"""Digits of the digest of a request in the address of its call."""

_RETRIES = "x-stainless-retry-count"
"""The header in which the SDKs of Anthropic and OpenAI count their retries."""


class Server:
    """All simulated servers of one run.

    Args:
        kernel: The clock.
        draws: Source of random values.
        log: Where spans go.
        root: What calls belong to that are made outside of everything.
        sites: What is served where.
        roles: The agents, in the order in which their rules are asked.
        unknown: Makes an agent of a name that no rule knows.
        allow_unmatched: Whether it may do so although there are agents.
        served: A model as its provider serves it, by the name of the provider, that of the model, and the
            latency that the agent states instead of the model's.
        judge: The fault plan.
        ledger: Where the claims of replies are noted.
        latency_factors: How many times as long the attempts of single agents take to serve.
        calls_per_task: How many calls a task may make.
        repeats_per_task: How many calls in a row may bring a task nothing new.
        stop_task: Ends a task that makes no progress; None ends the run.
        texts: Where prompts and replies go; None if they are not kept.
        replay: A cassette that answers what no described agent does; None without one.
        peers: Hosts that are no providers.
    """

    def __init__(
        self,
        kernel: Kernel,
        draws: Draws,
        log: SpanLog,
        root: Scope,
        *,
        sites: Sequence[Endpoint],
        roles: Sequence[AgentRule],
        unknown: Callable[[str], AgentRule],
        allow_unmatched: bool,
        served: Callable[[str, str, Latency | None], Served],
        judge: Judge,
        ledger: Ledger,
        known_models: Sequence[str] = (),
        latency_factors: Mapping[str, float] | None = None,
        calls_per_task: float = math.inf,
        repeats_per_task: float = math.inf,
        stop_task: StopTask | None = None,
        texts: Texts | None = None,
        replay: Replay | None = None,
        peers: Peers = NO_PEERS,
    ) -> None:
        self.kernel = kernel
        self._peers = peers
        self._replay = replay
        self.calls = Calls(log, texts, Progress(repeats_per_task))
        self._bounds = Bounds(kernel, log, self.calls, calls_per_task, stop_task)
        self._unsimulated = Unsimulated()
        self.unsimulated = self._unsimulated.tries
        self.draws = draws
        self.log = log
        self._root = root
        self._roles = Roles(roles, unknown, allow_unmatched=allow_unmatched)
        self.served = served
        self._judge = judge
        self._ledger = ledger
        self._latency_factors = latency_factors or {}
        kernel.describe_work = lambda: report_of_calls(self.calls.made)
        self._connections: list[Connection] = []
        self._answering: dict[Connection, None] = {}
        """The connections on which an answer is due; those of real sockets are nowhere else."""
        self._sites = Sites()
        self._own_ids = 0
        self._aside = Aside(kernel)
        self._reading: Scope | None = None
        """What the request belongs to that is being read."""
        self._unawaited: list[BatchWork | BackgroundWork] = []
        """The work that no client waits for."""
        self.on_error: Callable[[str, Exception], Refusal] | None = None
        """Told what goes wrong here while a request is answered, and says what the client is told; without it, an error
        ends the run."""
        for site in sites:
            api = site.api(_Desk(self, site, tuple(known_models)))
            self._sites.add(site, api)

    # -- the network's side ---------------------------------------------------------------------------------------

    def connect(self, host: str, port: int) -> Connection | UnknownHost:
        """Open a connection; the error for a host that is not simulated is returned, and raised as each client expects it."""
        host = host.lower().rstrip(".")
        peer = self._peers.at(host, port)
        if (
            peer is None
            and host not in self._sites
            and not (self._replay is not None and self._replay.reaches(host))
        ):
            if self._unsimulated.count(host) > self._bounds.calls_per_task:
                raise self.kernel.exceeded(
                    "calls_per_task",
                    self._bounds.calls_per_task,
                    f"The program connects to {host}, which is not simulated, again and again.",
                )
            return unknown_host(host, port, [*self._sites.hosts, *self._peers.places])
        connection = Connection(host, peer or self.on_request)
        self._connections.append(connection)
        return connection

    def refuse_websocket(self, host: str, path: str) -> NotSimulated:
        """Note that a client wants a websocket, and return the error for it."""
        return self._unsimulated.websocket(host, path)

    def end(self) -> None:
        """Close all connections, so that clients that outlive the run open new ones, and all calls that were given up."""
        for connection in dict.fromkeys((*self._connections, *self._answering)):
            connection.reader = None
            connection.hang_up()
        for work in self._unawaited:
            work.stop()
        self.kernel.baton.end_threads()
        self.calls.end()

    def host_for(self, http: HttpRequest) -> str:
        """The host that a request is meant for which came to no host in particular."""
        return self._sites.host_for(http)

    @property
    def providers(self) -> list[tuple[str, str]]:
        """The name of each provider, and that of its API."""
        return self._sites.providers

    def on_request(self, connection: Connection, http: HttpRequest) -> None:
        """Begin to answer a request."""
        # Called by the client, in its own task and context.
        scope = scope_here(self._root)
        self._bounds.stop_without_progress(scope.span.task)
        caller = connection.caller or lineage_here()
        task = "" if self._replay is None else own_name_here()
        process = Process(self.kernel, self._whole_life(connection, http, scope, caller, task))
        connection.on_hang_up = process.stop

    def begin_use(self, tool: str) -> tuple[int, int]:
        """Begin one use of a tool or a command: which of the run it is, and its place in the order of what the program asks."""
        self._bounds.check_before_use(scope_here(self._root))
        return self.calls.count("use", tool), self.calls.progress.asked()

    # -- one request ------------------------------------------------------------------------------------------------

    def _whole_life(
        self,
        connection: Connection,
        http: HttpRequest,
        scope: Scope,
        caller: Lineage | None,
        task: str,
    ) -> Steps:
        self._answering[connection] = None
        self.kernel.open_calls += 1
        try:
            if self.kernel.halted:  # the run is about to end
                connection.close("reset")
            else:
                yield from self._life(connection, http, scope, caller, task)
        except Exception as error:  # noqa: BLE001 - raised again where the client is not told
            self._refuse(connection, http, self._refusal_for(f"{http.method} {http.path}", error))
        finally:
            self.kernel.open_calls -= 1
            del self._answering[connection]

    def _lost(self, error: BaseException) -> None:
        """Deal with what goes wrong when a reply is made for a client that has hung up."""
        if self.on_error is None or not isinstance(error, Exception):
            if isinstance(error, Exception):
                self.kernel.fail(error, halt=True)
            raise error
        self.on_error("a reply that no client waits for", error)

    def _refusal_for(self, what: str, error: Exception) -> Refusal:
        """The response to a request that caused an error; without one, the error ends the run."""
        if self.on_error is None:
            self.kernel.fail(error)
            raise error
        return self.on_error(what, error)

    def _refuse(self, connection: Connection, http: HttpRequest, why: Refusal) -> None:
        """Say in the words of a connection's API that there will be no answer; in the middle of one, break it off."""
        if why.is_silent or connection.has_begun or connection.host not in self._sites:
            connection.close("reset")
            return
        api = self._sites.at(connection.host, http.path).api
        self._own_ids += 1
        ids = Ids(self.draws.root("request", self._own_ids))
        connection.respond(api.refused(why, Moment(ids, self.kernel.now_s(), 0.0, NO_QUOTA)))

    def _life(
        self,
        connection: Connection,
        http: HttpRequest,
        scope: Scope,
        caller: Lineage | None,
        task: str,
    ) -> Steps:
        replay = self._replay
        recorded = None if replay is None else RecordedAsk(replay, connection.host, http, task)
        is_of_model = None if recorded is None else recorded.is_of_model
        if recorded is not None and (connection.host not in self._sites or is_of_model is False):
            yield from self._send_back(connection, recorded, scope)
            return
        at = self._sites.at(connection.host, http.path)
        site, api = at.endpoint, at.api
        rejected = None
        try:
            http = at.localized(http)
        except Refused as refused:
            rejected = refused.response
        except NotSimulated as error:
            self._unsimulated.count(error.what)
            raise
        self._bounds.check_progress(scope)
        digest = _digest_of(http)
        call = self.calls.retried(digest, caller, scope, _retries_of(http))
        if call is None:
            self._own_ids += 1
            ids = Ids(self.draws.root("request", self._own_ids))
            self._reading = scope
            understood: Understood = rejected or api.read(http, ids)
            if recorded is not None and isinstance(understood, HttpResponse):
                if not is_of_model:
                    yield from self._send_back(connection, recorded, scope)
                    return
                understood = recorded.prompt  # the real API took it
            if isinstance(understood, HttpResponse):
                self._unsimulated.check(at, http, understood)
                if understood.status >= _FIRST_ERROR_STATUS:
                    answer_s = self.kernel.now_s() + REFUSAL_S
                    self._note_rejected(http, understood, at, scope, caller, digest, answer_s)
            if not isinstance(understood, Prompt):
                yield from self._reply(connection, http, understood)
                return
            self._bounds.count_call(scope.span.task)
            call = self._new_call(understood, http, scope, caller, digest, site, recorded)
        elif len(call.attempts) >= self._bounds.calls_per_task:  # its client tries for ever
            self._bounds.count_call(scope.span.task, len(call.attempts) + 1)
        self.kernel.note_call()
        if self._comes_later(call, site, recorded):
            yield from self._reply(connection, http, self._begin(call, api))
        else:
            yield from Exchange(self.calls, connection, api, call).steps()

    def _comes_later(self, call: Call, site: Endpoint, recorded: RecordedAsk | None) -> bool:
        """Whether a call is made in the background; not if nobody reaches the provider, or a recording answers it."""
        return (
            call.prompt.later is not None
            and site.provider.outage() is None
            and not _is_recorded(recorded, call.role)
        )

    def _begin(self, call: Call, api: Api) -> HttpResponse | Feed:
        """Begin an attempt in the background; returns what its client is told at once."""
        job = Job(call.prompt)
        work = BackgroundWork(self.kernel, self.calls, api, call, job, self._refusal_for)
        self._unawaited.append(work)
        assert call.prompt.later is not None
        return call.prompt.later(job, work.moment())

    def _reply(
        self, connection: Connection, http: HttpRequest, answer: HttpResponse | Feed | Refusal
    ) -> Steps:
        """Send what comes from no attempt."""
        yield self.kernel.now_s() + REFUSAL_S
        match answer:
            case Refusal():
                self._refuse(connection, http, answer)
            case Feed(head, steps):
                connection.begin(head)
                yield from steps(connection.send)
                connection.finish()
            case _:
                connection.respond(answer)

    def _note_rejected(
        self,
        http: HttpRequest,
        response: HttpResponse,
        at: Site,
        scope: Scope,
        caller: Lineage | None,
        digest: bytes,
        answer_s: float,
    ) -> None:
        """Note that an API does not take a request; it is no call, and counts as one for the bounds."""
        self.kernel.note_call()
        self._bounds.count_call(scope.span.task)
        hint = response.hint or (at.hint(http) if response.status == _NOT_FOUND else "")
        told = f"{response.status} {http.path}" + (f" ({hint})" if hint else "")
        self._bounds.note_rejected(scope, at.endpoint.name, digest, told)
        if self.calls.rejected(digest, scope, caller, answer_s):
            self.log.event("rejected_again", scope.span, told)

    def _send_back(self, connection: Connection, recorded: RecordedAsk, scope: Scope) -> Steps:
        """Send what was recorded of a request that is no call of a model, or what the real API says."""
        self.kernel.note_call()
        self._bounds.count_call(scope.span.task)
        asked_s = self.kernel.now_s()
        found = recorded.plain(asked_s)
        if not isinstance(found, RecordedResponse):
            context = context_of(Scope(scope.span, None))
            found = yield from made_aside(self._aside, connection.host, found, context)
        for at_s, do in plain_steps(found, asked_s, REFUSAL_S):
            if at_s > self.kernel.now_s():
                yield at_s
            do(connection)

    def _new_call(
        self,
        prompt: Prompt,
        http: HttpRequest,
        scope: Scope,
        caller: Lineage | None,
        digest: bytes,
        site: Endpoint,
        recorded: RecordedAsk | None = None,
    ) -> Call:
        task = scope.span.task
        self.calls.bring_results(prompt, scope)
        request = request_of(prompt, scope, http.body)
        request.model = site.aliases.get(prompt.model, prompt.model)
        agent_named = http.headers.get(AGENT_HEADER, scope.agent)
        role = self._roles.role_of(prompt, http.headers, request, agent_named, recorded)
        self._number(request, role, task)
        agent = role.name
        span = self.log.open(CALL, agent, scope.span, agent, request.model, request.call_in_task)
        request.span = request.call_span = span
        backend = self._backend(site, role, prompt, scope, recorded)
        call = self.calls.begin(
            role, backend, prompt, request, scope, caller, digest, site.name, _retries_of(http)
        )
        asks = f"{call.task_path} {digest.hex()[:_DIGEST_SHOWN]}"
        before = self.calls.count("asks", asks)
        request.address = asks if before == 1 else f"{asks} #{before}"
        return call

    def _backend(
        self,
        site: Endpoint,
        role: AgentRule,
        prompt: Prompt,
        scope: Scope,
        recorded: RecordedAsk | None,
    ) -> Backend:
        served = self.served(site.name, prompt.model, role.latency)
        content = role.content if recorded is None else recorded.content(role, self.kernel.now_s)
        content = Mind(content, role.traits, self._ledger, self.draws)
        if prompt.said is not None and not _is_recorded(recorded, role):
            content, role = Said(prompt.said), replace(role, output_tokens=None, traits=Traits())
        return Backend(
            log=self.log,
            draws=self.draws,
            content=content,
            aside=self._aside,
            context=context_of(Scope(scope.span, None)),  # what content calls is of the same task
            provider=site.provider,
            served=served,
            judge=self._judge,
            lost=self._lost,
            output_tokens=role.output_tokens,
            traits=role.traits,
            latency_factor=self._latency_factors.get(role.name, 1.0),
        )

    def _number(self, request: Request, role: AgentRule, task: int) -> None:
        request.agent = role.name
        request.call_in_task = self.calls.count("call", task, role.name)
        request.call_in_run = self.calls.count("call", role.name)
        request.key = f"{task}/{role.name}/{request.call_in_task}"
        request.customer = self.log.customer_of(task)

    def work(
        self, site: Endpoint, prompt: Prompt, http: HttpRequest, at_s: float, until_s: float
    ) -> Job:
        """Let a model answer a prompt of a batch that is being created."""
        body = repr((prompt.model, [section.text for section in prompt.sections]))
        digest = blake2b(f"batch\n{body}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        call = self._new_call(prompt, http, self._reading or self._root, None, digest, site)
        job = Job(prompt)
        work = BatchWork(self.kernel, self.calls, call, job, at_s, until_s, self._refusal_for)
        self._unawaited.append(work)
        return job


def _is_recorded(recorded: RecordedAsk | None, role: AgentRule) -> bool:
    """Whether a cassette answers."""
    return recorded is not None and recorded.answers(role)


def _digest_of(http: HttpRequest) -> bytes:
    """Equal for requests that may be attempts of one call."""
    place = http.path + http.headers.get(AGENT_HEADER, "")
    return blake2b(b"%s\n%s" % (place.encode(), http.body), digest_size=16).digest()


def _retries_of(http: HttpRequest) -> int | None:
    """How many attempts of this call its client made before; None if it does not say."""
    said = http.headers.get(_RETRIES, "")
    return int(said) if said.isdecimal() else None


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one site's API may ask of the server."""

    _server: Server
    _site: Endpoint
    models: tuple[str, ...]

    def moment(self, ids: Ids, model: str = "") -> Moment:
        """This very moment."""
        server = self._server
        quota = NO_QUOTA
        if model:
            served = server.served(self._site.name, model, None)
            quota = self._site.provider.quota(served)
        return Moment(ids, server.kernel.now_s(), 0.0, quota)

    def outage(self) -> Refusal | None:
        """Why nobody reaches the provider at this moment."""
        return self._site.provider.outage()

    def work(self, prompt: Prompt, http: HttpRequest, at_s: float, until_s: float) -> Job:
        """Let a model answer a prompt of a batch."""
        return self._server.work(self._site, prompt, http, at_s, until_s)
