r"""One provider of language models, as a SimPy model.

The life of one attempt::

    submit -> admit -> queue -> prefill -> generate -> bill
                 \-> refused, for a reason that every API puts into its own status and words

An `Attempt` is itself the SimPy event of its reply. The client that submitted it waits for it, be it a task of an
asyncio loop or a thread. The provider knows the size of a reply, not its content.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappush
from typing import Any, NamedTuple

import simpy
from simpy.events import NORMAL

from harness.chance.draws import Draws
from harness.provider.latency import Latency, RecordedLatency
from harness.provider.limits import NO_QUOTA, Limiter, LimitHit, Quota
from harness.provider.overload import Availability
from harness.provider.prices import AnyPrices
from harness.provider.settings import UNLIMITED, ProviderSettings
from harness.provider.stated import StatedService, Treatment
from harness.units import Usage, whole_microseconds

REFUSAL_S = 0.05
"""Time from an attempt to its refusal [s]: one round trip. A guess; recordings of refusals carry no durations."""


@dataclass(frozen=True, slots=True)
class Served:
    """A model as a provider serves it."""

    name: str
    """The name that the API knows."""
    pool: str
    """Models of one pool share rate limits."""
    latency: Latency | RecordedLatency
    prices: AnyPrices | None
    """None if unknown."""


class Refusal(NamedTuple):
    """Why an attempt was not served, independent of any API."""

    kind: str
    """The reason as spans name it, such as `rate_limit_error`."""
    model: str = ""
    """The model that was asked for, where the reason depends on it."""
    limit: LimitHit | None = None
    """The rate limit that was hit, if one was."""
    retry_after_s: float | None = None
    """How long the client is told to wait [s]."""
    status: int | None = None
    """The HTTP status that a fault states; None leaves it to the API."""
    message: str = ""
    """What is said instead of the API's own words; empty leaves them to the API."""

    @property
    def is_silent(self) -> bool:
        """Whether the connection breaks without an answer."""
        return self.kind == "connection_error"


class Attempt(simpy.Event):
    """One request at the provider, and the event that its reply has come.

    It also holds data of its client. Its value is None, a `Refusal`, or the error raised while the reply was made.
    """

    treatment: Treatment | None = None
    """How it is treated otherwise than others; of the class, because nearly all are not."""

    def __init__(
        self,
        env: simpy.Environment,
        model: Served,
        key: str,
        usage: Usage,
        latency_factor: float,
        arrival_s: float,
        stated: StatedService | None,
        make: Callable[[], None] | None,
    ) -> None:
        self.env = env  # as simpy.Event does; one call less for every attempt
        self.callbacks = []
        self.model = model
        self.key = key
        self.usage = usage
        self.latency_factor = latency_factor
        self.arrival_s = arrival_s
        self.stated = stated
        self.start_s = math.nan
        """When service began [s]; absent while it waits in the queue."""
        self.first_token_s = math.nan
        """When the first token comes [s]."""
        self.end_s = math.nan
        """When the last token comes [s]; known once service has begun."""
        self.make = make
        """Called when service begins, if the size of the reply is not known before it is made; `serve` or `fail` goes on."""
        self.on_first_token_known: Callable[[], None] | None = None
        """Called when the time of the first token is known, for streaming."""
        self.carries: Any = None
        """What its client keeps with it."""
        self.abandoned = False
        """Whether the client hung up while it waited in the queue, or before its reply was made."""
        self.stopped = False
        """Whether it was ended in the middle of its service."""

    @property
    def cost_usd(self) -> float:
        """What it is billed [USD]; nothing before service begins, absent when the price is unknown."""
        if self.start_s != self.start_s:
            return 0.0
        prices = self.model.prices
        return math.nan if prices is None else prices.cost_usd(self.usage)


class Provider:
    """A provider with its rate limits, slots and overload.

    Args:
        env: The clock.
        draws: Source of random values.
        name: Its name in the scenario.
        settings: How it serves.
    """

    def __init__(
        self,
        env: simpy.Environment,
        draws: Draws,
        name: str,
        settings: ProviderSettings = UNLIMITED,
    ) -> None:
        slots, queue, overload = settings.concurrency, settings.queue, settings.overload
        self.name = name
        self._env = env
        self._draws = draws
        self._limits = settings.limits
        self._limiters: dict[str, Limiter] = {}
        self._slots = math.inf if slots is None else slots
        self._busy = 0
        self._waiting: deque[Attempt] = deque()
        self._waiting_now = (
            0  # without those that hung up, which stay in the deque until their turn
        )
        self._capacity = math.inf if queue is None or queue.capacity is None else queue.capacity
        self._weather = None if overload is None else Availability(overload, draws, name)
        self._outages = settings.outages
        self._load = settings.load
        self._starved: deque[Attempt] = deque()

    def submit(
        self,
        model: Served,
        key: str,
        usage: Usage,
        *,
        latency_factor: float = 1.0,
        stated: StatedService | None = None,
        make: Callable[[], None] | None = None,
        treatment: Treatment | None = None,
    ) -> Attempt:
        """Send one request now.

        Args:
            model: The model that is asked.
            key: Names the attempt's draws.
            usage: What it reads and will generate.
            latency_factor: Multiplies its service time.
            stated: Its service time; None means what the model's profile says.
            make: Called when service begins, where what it will generate is known only when the reply has been made.
            treatment: How it is treated otherwise than others; None for not at all.

        Returns:
            The event of its reply.
        """
        env = self._env
        now_s = env._now  # noqa: SLF001 - see Kernel.now_s
        attempt = Attempt(env, model, key, usage, latency_factor, now_s, stated, make)
        if treatment is not None:
            attempt.treatment = treatment
        refusal = self._refuse(attempt, now_s)
        if refusal is not None:
            _happen(attempt, refusal, REFUSAL_S)
        elif self._busy < self._slots:
            self.serve(attempt)
        else:
            is_last = treatment is not None and treatment.is_last
            (self._starved if is_last else self._waiting).append(attempt)
            self._waiting_now += 1
        return attempt

    def quota(self, model: Served) -> Quota:
        """What the rate limits of a model's pool leave at this moment; empty where there are none."""
        if self._limits is None:
            return NO_QUOTA
        return self._limiter(model.pool).quota(self._env.now)

    def abandon(self, attempt: Attempt) -> None:
        """Abandon an attempt. A waiting one is dropped; one in service is completed and billed, as it cannot be undone."""
        if math.isnan(attempt.start_s) and not attempt.triggered:
            attempt.abandoned = True
            self._waiting_now -= 1

    def stop(self, attempt: Attempt) -> None:
        """End an attempt in service: its slot is free, and what it has read and written until now is billed."""
        if attempt.callbacks is None:  # it has ended
            return
        now_s = self._env.now
        attempt.usage = _written_until(now_s, attempt)
        attempt.stopped = attempt.abandoned = True
        attempt.end_s = now_s
        attempt.callbacks.remove(self._finish)
        self._free(attempt)

    def outage(self) -> Refusal | None:
        """Why nobody reaches the provider at this moment; None if it can be reached."""
        now_s = self._env.now
        return next((Refusal(one.error) for one in self._outages if one.covers(now_s)), None)

    def _refuse(self, attempt: Attempt, now_s: float) -> Refusal | None:
        for outage in self._outages:
            if outage.covers(now_s):
                return Refusal(outage.error)
        if self._weather is not None and self._weather.refuses(attempt.key, now_s):
            return Refusal("overloaded_error")
        if self._waiting_now >= self._capacity and self._busy >= self._slots:
            return Refusal("overloaded_error")
        if self._limits is None:
            return None
        hit = self._limiter(attempt.model.pool).admit(
            attempt.usage.input_tokens + attempt.usage.cache_write_tokens, now_s
        )
        if hit is None:
            return None
        return Refusal("rate_limit_error", attempt.model.name, hit, float(hit.retry_after_s))

    def serve(self, attempt: Attempt) -> None:
        """Begin service; or go on with it, once the reply has been made.

        What comes before that is part of the time to the first token.
        """
        if attempt.stopped:
            return
        now_s = self._env._now  # noqa: SLF001 - see Kernel.now_s
        if attempt.start_s != attempt.start_s:
            self._busy += 1
            attempt.start_s = now_s
            assert attempt.callbacks is not None
            attempt.callbacks.insert(0, self._finish)
            if attempt.make is not None:
                attempt.make()
                return
        # Unpacked, because a name of a named tuple is looked up at a price, and this runs for every attempt.
        input_tokens, output_tokens, _, cache_write_tokens, _, at_once_tokens, _, tools_s = (
            attempt.usage
        )
        prefill_s, generate_s = attempt.model.latency.sample(
            self._draws,
            attempt.key,
            input_tokens + cache_write_tokens,
            output_tokens - at_once_tokens,
            attempt.latency_factor,
        )
        if self._load is not None:
            generate_s = whole_microseconds(generate_s * self._load.factor(self._busy))
        if tools_s:
            generate_s += tools_s
        if attempt.treatment is not None:
            prefill_s += attempt.treatment.late_s
        service_s = prefill_s + generate_s
        if attempt.stated is not None:
            stated_s = attempt.stated.service_s(now_s)
            prefill_s *= stated_s / service_s if service_s else 0.0
            service_s = stated_s
        attempt.first_token_s = now_s + prefill_s
        attempt.end_s = now_s + service_s
        _happen(attempt, None, service_s)
        if attempt.on_first_token_known is not None:
            attempt.on_first_token_known()

    def fail(
        self,
        attempt: Attempt,
        error: BaseException,
        lost: Callable[[BaseException], None] | None = None,
    ) -> None:
        """End service now, because the reply could not be made.

        Args:
            attempt: The attempt.
            error: What went wrong; the value of its event.
            lost: Called with the error instead, if no client waits for the attempt.
        """
        assert attempt.callbacks is not None
        if lost is not None:
            attempt.callbacks.append(lambda _: lost(error))
        _happen(attempt, error, 0.0)
        if attempt.on_first_token_known is not None:
            attempt.on_first_token_known()

    def _finish(self, event: simpy.Event) -> None:
        assert isinstance(event, Attempt)
        self._free(event)

    def _free(self, ended: Attempt) -> None:
        """Give the slot of an attempt to the next one."""
        self._busy -= 1
        if self._limits is not None:
            self._limiter(ended.model.pool).generated(ended.usage.output_tokens, self._env.now)
        while self._waiting or self._starved:
            attempt = (self._waiting or self._starved).popleft()
            if not attempt.abandoned:
                self._waiting_now -= 1
                self.serve(attempt)
                break

    def _limiter(self, pool: str) -> Limiter:
        limiter = self._limiters.get(pool)
        if limiter is None:
            assert self._limits is not None
            limiter = self._limiters[pool] = Limiter(self._limits)
        return limiter


def _written_until(now_s: float, attempt: Attempt) -> Usage:
    """What an attempt in service has read, and written until a time [s]."""
    usage = attempt.usage
    if not attempt.first_token_s < now_s:  # or not even known
        return usage._replace(output_tokens=0, at_once_tokens=0)
    share = (now_s - attempt.first_token_s) / (attempt.end_s - attempt.first_token_s)
    tokens = int(usage.output_tokens * share)
    return usage._replace(output_tokens=tokens, at_once_tokens=min(tokens, usage.at_once_tokens))


def _happen(attempt: Attempt, value: Refusal | BaseException | None, after_s: float) -> None:
    attempt._ok = True  # noqa: SLF001 - `succeed` can only mean now; `Timeout` sets the two in the same way
    attempt._value = value  # noqa: SLF001
    env = attempt.env
    at_s = env._now + after_s  # noqa: SLF001 - as `Environment.schedule` does, at the price of a call
    heappush(env._queue, (at_s, NORMAL, next(env._eid), attempt))  # noqa: SLF001
