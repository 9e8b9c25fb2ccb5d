"""Who heard whom."""

from __future__ import annotations

from harness.metrics import Edge, flow
from harness.metrics.flow import as_mermaid, flow_text
from harness.spans import CALL, SpanLog


def told() -> SpanLog:
    """A planner whom two calls of a worker heard, one of them twice, and a writer who heard both."""
    log = SpanLog(lambda: 0.0)
    task = log.open_task("job", 1)
    names = ("planner", "worker", "worker", "writer")
    plan, first, second, report = calls = [log.open(CALL, name, task, name) for name in names]
    for call, source in [
        (first, plan),
        (first, plan),
        (second, plan),
        (report, first),
        (report, second),
    ]:
        log.event("heard", call, str(source.span_id))
    log.event("heard", report, "999")  # a call that was never closed
    for call in calls:
        log.close(call)
    return log


def test_edges_count_the_calls_that_heard() -> None:
    log = told()
    assert flow(log.spans, log.events) == [
        Edge("planner", "worker", 2),
        Edge("worker", "writer", 1),
    ]


def test_nobody_hears_anybody_in_an_empty_run() -> None:
    log = SpanLog(lambda: 0.0)
    assert flow(log.spans, log.events) == []
    assert flow_text([]) == ""
    assert as_mermaid([]) == "flowchart LR\n"


def test_flow_is_written_one_pair_a_line() -> None:
    edges = [Edge("planner", "worker", 2), Edge("worker", "writer", 1)]
    assert flow_text(edges) == "planner -> worker: 2 calls\nworker -> writer: 1 call\n"


def test_flow_is_drawn_by_mermaid_whatever_the_names() -> None:
    drawn = as_mermaid([Edge('a "b"]', "end", 2), Edge("end", "Größe", 1)])
    assert drawn == (
        "flowchart LR\n"
        '    agent1["a #34;b#34;#93;"]\n'
        '    agent2["end"]\n'
        '    agent3["Größe"]\n'
        "    agent1 -->|2| agent2\n"
        "    agent2 -->|1| agent3\n"
    )
