"""What the workload's scenario says, as somebody would write it by hand in bare SimPy.

The same arrivals, waits and kinds of draws, and the same record: a row for each call with all that the span of an attempt holds, and
one for each task. Draws come from one generator, there are no messages, and nothing bounds a run that never ends.
"""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from typing import Any

import simpy
from jsonschema import Draft202012Validator

WORKERS = ("a", "b", "c", "d")
CALLS_PER_TASK = 6
INPUT_TOKENS = 1000

Row = tuple[Any, ...]


class Bare:
    """The workload without policies.

    Args:
        tasks: Number of tasks.
    """

    def __init__(self, tasks: int) -> None:
        self.env = simpy.Environment()
        self.slots = simpy.Resource(self.env, 40)
        self.rng = random.Random(1)
        self.tasks = tasks
        self.rows: list[Row] = []

    def cpu_s(self) -> float:
        """CPU of the run [s]."""
        done = self.env.process(self.arrivals())  # type: ignore[no-untyped-call]
        began_s = time.process_time()
        self.env.run(done)
        assert len(self.rows) == self.tasks * (CALLS_PER_TASK + 1)
        return time.process_time() - began_s

    def arrivals(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as one writes SimPy by hand
        """Start the tasks, and wait for all."""
        env, started = self.env, []
        for task in range(self.tasks):
            yield env.timeout(self.rng.expovariate(0.5))
            started.append(env.process(self.work(task)))
        yield env.all_of(started)

    def work(self, task: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """One task: plan, work side by side, put together."""
        env, arrival_s = self.env, self.env.now
        yield env.process(self.call(task, "lead", 1, arrival_s))
        yield env.all_of([env.process(self.call(task, worker, 1, arrival_s)) for worker in WORKERS])
        yield env.process(self.call(task, "lead", 2, arrival_s))
        self.rows.append((task, "task", arrival_s, env.now, "ok"))

    def call(self, task: int, agent: str, ordinal: int, _: float):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """One call of a model."""
        env, arrival_s = self.env, self.env.now
        with self.slots.request() as slot:
            yield slot
            start_s = env.now
            output_tokens = max(1, round(self.rng.lognormvariate(5, 0.4)))
            yield env.timeout(self.rng.lognormvariate(0, 0.4))
            first_token_s = env.now
            yield env.timeout(output_tokens * 0.0147)
        cost_usd = (INPUT_TOKENS * 3 + output_tokens * 15) / 1e6
        self.rows.append(
            (
                task, agent, "m", ordinal, arrival_s, start_s, first_token_s, env.now,
                INPUT_TOKENS, output_tokens, cost_usd, "ok",
            )
        )  # fmt: skip


class BareWithPolicies(Bare):
    """The workload with every policy of `benchmarks.policies`, each with its own timer, place or count, and none with anything to do."""

    def __init__(self, tasks: int) -> None:
        super().__init__(tasks)
        self.places: defaultdict[str, simpy.Resource] = defaultdict(
            lambda: simpy.Resource(self.env, 1000)
        )
        self.queue = simpy.Resource(self.env, 100_000)
        self.used: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
        self.levels, self.level_s = [1e6, 1e9], 0.0
        self.failures, self.opened_s = 0, float("-inf")
        self.cache: dict[tuple[str, str], tuple[float, str]] = {}
        self.valid = Draft202012Validator({"type": "object"}).is_valid

    def call(self, task: int, agent: str, ordinal: int, task_s: float):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """One call with its cache, deadlines, default answer and people."""
        env = self.env
        key = agent, f"task {task} of {ordinal}"
        kept = self.cache.get(key)
        if kept is not None and env.now < kept[0] + 0.001:
            return
        tries = env.process(self.tries(task, agent, ordinal))
        ends = [env.timeout(1000), env.timeout(task_s + 10_000 - env.now), env.timeout(900)]
        try:
            yield env.any_of([tries, *ends])
        except TimeoutError:
            yield env.timeout(3600)  # a person
            return
        if not ends[2].processed and not tries.processed:
            tries.interrupt()
        self.cache[key] = env.now, "{}"
        if len(self.cache) > 1000:
            del self.cache[next(iter(self.cache))]

    def tries(self, task: int, agent: str, ordinal: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """Ask until the reply is valid, again after a failure, and a second time if it is late."""
        env = self.env
        for _ in range(2):
            for attempt in range(3):
                if self.failures >= 5 and env.now < self.opened_s + 30:
                    raise TimeoutError
                self.reserve(task)
                first = env.process(self.bounded(task, agent, ordinal))
                try:
                    yield first | env.timeout(500)
                    if not first.processed:
                        second = env.process(self.bounded(task, agent, ordinal))
                        yield first | second
                except TimeoutError:
                    self.failures, self.opened_s = self.failures + 1, env.now
                    if attempt == 2:
                        raise
                    yield env.timeout(self.rng.random() * 0.5 * 2**attempt)
                else:
                    self.failures = 0
                    break
            if self.valid(json.loads("{}")):
                return

    def reserve(self, task: int) -> None:
        """Set aside what an attempt may use."""
        used = self.used[task]
        more = 1, 1, INPUT_TOKENS + 1000, (INPUT_TOKENS * 3 + 1000 * 15) / 1e6
        if any(a + b > most for a, b, most in zip(used, more, (100, 100, 1e6, 100), strict=True)):
            raise TimeoutError
        self.used[task] = [a + b for a, b in zip(used, more, strict=True)]

    def bounded(self, task: int, agent: str, ordinal: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """An attempt with its timeout, after it has got a place and tokens."""
        env = self.env
        with self.places[agent].request() as place, self.queue.request() as turn:
            yield place
            yield turn
            passed_s, self.level_s = env.now - self.level_s, env.now
            wait_s = 0.0
            for at, (per_min, amount) in enumerate(((1e6, 1), (1e9, INPUT_TOKENS))):
                level = min(per_min, self.levels[at] + passed_s * per_min / 60) - amount
                self.levels[at] = level
                wait_s = max(wait_s, -level * 60 / per_min)
            if wait_s:
                yield env.timeout(wait_s)
            attempt = env.process(super().call(task, agent, ordinal, 0.0))
            yield attempt | env.timeout(1000)
            if not attempt.processed:
                attempt.interrupt()
                raise TimeoutError
            spent = self.rows[-1]
            used = self.used[task]
            used[2] += spent[9] - 1000
            used[3] += spent[10] - (INPUT_TOKENS * 3 + 1000 * 15) / 1e6
            self.levels[1] -= spent[9]
