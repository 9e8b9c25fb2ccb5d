"""Chrome's trace format, for ui.perfetto.dev and chrome://tracing.

A run is a process and a lane (`harness.metrics.lanes`) is a thread of it, because slices of a thread must nest. Times are
whole microseconds since the run began.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count

from harness.metrics.history import HEARD
from harness.metrics.lanes import Lane, Lanes, lanes
from harness.trace.counters import counters
from harness.trace.ids import microseconds
from harness.trace.run import TracedRun
from harness.trace.slices import slices
from harness.trace.timed import timed

# Names repeat, and details of events are not written: more than this is a run with as many agents.
_text = lru_cache(maxsize=4096)(json.dumps)


def chrome_text(runs: Iterable[TracedRun]) -> Iterator[str]:
    """One document of some runs, in pieces; a run is taken when its turn comes."""
    yield '{"displayTimeUnit":"ms","traceEvents":[\n'
    flows = count(1)
    between = ""
    for number, run in enumerate(runs, 1):
        for event in _run(run, run.run_id or number, flows):
            yield between + event
            between = ",\n"
    yield "\n]}\n"


def _run(run: TracedRun, pid: int, flows: Iterator[int]) -> Iterator[str]:
    laid = lanes(run.spans)
    times = timed(run.spans)
    threads = _Threads(laid, pid)
    yield from _names(run, pid, threads)
    thread_of = array("q", map(threads.of_lane, laid.of_row))
    yield from slices(run.spans, pid, thread_of, times)
    for task, row in times.parts.roots.items():
        tid = threads.of_path(laid.of_row[row])
        for part in times.paths[task]:
            begin_us, end_us = microseconds(part.start_s), microseconds(part.end_s)
            name = " ".join(filter(None, (part.kind, part.agent, part.name)))
            yield (
                f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":{begin_us},"dur":{end_us - begin_us},"cat":"critical path",'
                f'"name":{_text(name)},"args":{{"span_id":{part.span_id}}}}}'
            )
    yield from _flows(run, pid, threads, times.parts.row_of, flows)
    for at_us, name, value in counters(run.spans):
        yield f'{{"ph":"C","pid":{pid},"ts":{at_us},"name":"{name}","args":{{"{name}":{value!r}}}}}'


class _Threads:
    """The threads of a run: one a lane, and behind each lane of tasks one for their critical paths.

    Args:
        laid: The lanes of the run.
        pid: The process. Its threads have higher numbers, because Perfetto puts a thread of the same number on top.
    """

    def __init__(self, laid: Lanes, pid: int) -> None:
        self.of_row = laid.of_row
        self.lanes = laid.names
        self.pid = pid

    def of_lane(self, lane: int) -> int:
        """The thread of a lane."""
        return self.pid + 2 * lane + 1

    def of_path(self, lane: int) -> int:
        """The thread of the critical paths of the tasks in a lane, right behind it."""
        return self.of_lane(lane) + 1

    def names(self) -> Iterator[tuple[int, str]]:
        """Number and name of each thread, in the order in which they stand."""
        several = {lane.agent for lane in self.lanes if lane.number > 1}
        for index, lane in enumerate(self.lanes):
            yield self.of_lane(index), _lane_name(lane, lane.agent or "tasks", several)
            if not lane.agent:
                yield self.of_path(index), _lane_name(lane, "critical path", several)


def _lane_name(lane: Lane, name: str, several: set[str]) -> str:
    return f"{name} {lane.number}" if lane.agent in several else name


def _names(run: TracedRun, pid: int, threads: _Threads) -> Iterator[str]:
    title = f"{'run' if run.run_id is None else f'run {run.run_id}'}: {run.scenario}, seed {run.seed}"  # fmt: skip
    yield _meta(pid, 0, "process_name", "name", json.dumps(title))
    yield _meta(pid, 0, "process_sort_index", "sort_index", str(pid))
    for tid, name in threads.names():
        yield _meta(pid, tid, "thread_name", "name", json.dumps(name))
        yield _meta(pid, tid, "thread_sort_index", "sort_index", str(tid))


def _meta(pid: int, tid: int, what: str, field: str, value: str) -> str:
    return f'{{"ph":"M","pid":{pid},"tid":{tid},"name":"{what}","args":{{"{field}":{value}}}}}'


def _flows(
    run: TracedRun, pid: int, threads: _Threads, row_of: dict[int, int], flows: Iterator[int]
) -> Iterator[str]:
    """Arrows from a span to its parts in other lanes, and from a reply to the prompt that holds it.

    An arrow ends on the slice that is there at that moment, so both of its ends lie inside their spans in time.
    """
    spans, of_row = run.spans, threads.of_row
    arrivals_s, ends_s = spans["arrival_s"], spans["end_s"]

    def arrow(name: str, source: int, left_us: int, target: int, came_us: int) -> Iterator[str]:
        flow = next(flows)
        for end, lane, at_us in (('"s"', of_row[source], left_us), ('"f","bp":"e"', of_row[target], came_us)):  # fmt: skip
            yield (
                f'{{"ph":{end},"id":{flow},"pid":{pid},"tid":{threads.of_lane(lane)},"ts":{at_us},"cat":"{name}",'
                f'"name":"{name}"}}'
            )

    for row, parent_id in enumerate(spans["parent_id"]):
        parent = row_of.get(parent_id, row)
        if of_row[parent] == of_row[row] or min(of_row[parent], of_row[row]) < 0:
            continue
        at_s = arrivals_s[row]
        if arrivals_s[parent] <= at_s < ends_s[parent]:
            yield from arrow("part", parent, microseconds(at_s), row, microseconds(at_s))
    for at_s, span_id, name, detail in run.events.rows("at_s", "span_id", "name", "detail"):
        if name != HEARD or not detail.isdecimal():
            continue
        source, target = row_of.get(int(detail), -1), row_of.get(span_id, -1)
        if min(source, target) < 0 or min(of_row[source], of_row[target]) < 0:
            continue
        left_us = microseconds(ends_s[source]) - 1  # at its very end, it is not there any more
        if microseconds(arrivals_s[source]) <= left_us <= microseconds(at_s):
            yield from arrow("heard", source, left_us, target, microseconds(at_s))
