"""What a trace says of each span: one account, from which OTLP is written and the OpenTelemetry SDK is fed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from harness.metrics.critical_path import critical_paths
from harness.metrics.slack import slack
from harness.spans import AGENT, ATTEMPT, CALL, OK, TASK, TOOL, WAIT, Table
from harness.trace import ids, names
from harness.trace.names import Vocabulary
from harness.trace.run import TracedRun

INTERNAL: Final = 1
CLIENT: Final = 3
"""The kinds of span that occur, as OTLP numbers them."""

Number = bool | int | float
Attribute = str | Number


class Said(NamedTuple):
    """What the texts of a span amount to; the same for all spans with these texts."""

    name: str
    kind: int
    """`INTERNAL` or `CLIENT`."""
    attributes: dict[str, str]
    error: str
    """The kind of failure; empty when it ended well."""


class Told(NamedTuple):
    """One span of a trace."""

    trace_id: int
    span_id: int
    parent_id: int
    """0 for a root."""
    start_ns: int
    end_ns: int
    said: Said
    numbers: list[tuple[str, Number]]
    events: list[tuple[int, str, str]]
    """When [ns since 1970], what, and more about it."""


def resource(run: TracedRun) -> dict[str, Attribute]:
    """What all spans of a run have in common."""
    found: dict[str, Attribute] = {
        names.SERVICE_NAME: run.scenario,
        names.SIM: True,
        names.SCENARIO: run.scenario,
        names.SCENARIO_HASH: run.scenario_hash,
        names.SEED: run.seed,
        names.RUN_STATUS: run.status,
        names.HARNESS_VERSION: run.harness_version,
    }
    if run.run_id is not None:
        found[names.RUN_ID] = run.run_id
    if run.commit_id:
        found[names.COMMIT_ID] = run.commit_id
    return found


_TEXTS = ("kind", "name", "agent", "model", "status", "error", "fault")
_NUMBERS = (
    "ordinal", "arrival_s", "start_s", "first_token_s", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cost_usd", "http_status", "retry_after_s", "correct",
)  # fmt: skip


def told(run: TracedRun, vocabulary: Vocabulary) -> Iterator[Told]:
    """The spans of a run, in the order of its table; those that have no end are left out."""
    spans = run.spans
    paths = critical_paths(spans)
    slack_of = slack(spans, paths)
    critical = {part.span_id for path in paths.values() for part in path}
    base = ids.span_id_base(run.scenario_hash, run.seed)
    traces = {
        task: ids.trace_id(run.scenario_hash, run.seed, task)
        for task in dict.fromkeys(spans["task"])
    }
    noted = _events(run.events)
    texts, said = spans.texts, dict[tuple[int, ...], Said]()
    for span_id, parent_id, task, end_s, codes, numbers in zip(
        spans["span_id"], spans["parent_id"], spans["task"], spans["end_s"],
        zip(*(spans[name] for name in _TEXTS), strict=True), spans.rows(*_NUMBERS), strict=True,
    ):  # fmt: skip
        if end_s != end_s:
            continue
        if codes not in said:
            said[codes] = _said(vocabulary, run.scenario, *(texts[code] for code in codes))
        found: list[tuple[str, Number]] = [(names.SPAN_ID, span_id), (names.TASK_NUMBER, task)]
        events = noted.get(span_id, [])
        if texts[codes[0]] == ATTEMPT:
            found += _attempt(vocabulary, *numbers)
            events = _milestones(*numbers) + events
        _, arrival_s, *_, correct = numbers
        if numbers[0] >= 0:
            found.append((names.ORDINAL, numbers[0]))
        if correct >= 0:
            found.append((names.CORRECT, bool(correct)))
        if span_id in slack_of:
            found.append((names.SLACK_S, round(slack_of[span_id], 6)))
        if span_id in critical:
            found.append((names.CRITICAL, True))
        yield Told(
            traces[task], base + span_id, base + parent_id if parent_id >= 0 else 0, ids.unix_ns(arrival_s),
            ids.unix_ns(end_s), said[codes], found, events,
        )  # fmt: skip


def _said(
    vocabulary: Vocabulary, scenario: str, kind: str, name: str, agent: str, model: str, status: str, error: str, fault: str
) -> Said:  # fmt: skip
    attributes = {names.KIND: kind, names.NAME: name, names.STATUS: status}
    more = {names.AGENT_NAME: agent, names.MODEL: model, names.FAULT: fault}
    attributes.update({attribute: value for attribute, value in more.items() if value})
    if kind in vocabulary.kinds:
        attributes[vocabulary.kind] = vocabulary.kinds[kind]
    attributes.update(vocabulary.fixed.get(kind, {}))
    if kind == TASK and vocabulary.workflow:
        attributes[vocabulary.workflow] = scenario
    if agent:
        attributes[vocabulary.agent] = agent
    if kind == ATTEMPT:
        attributes.update(dict.fromkeys(vocabulary.models[: None if status == OK else 1], model))
    if kind == TOOL:
        attributes[vocabulary.tool] = name
    failure = "" if status == OK else error or status
    if failure:
        attributes[names.ERROR_TYPE] = failure
    title = f"{_TITLES.get(kind, kind)} {scenario if kind == TASK else name}"
    return Said(title, CLIENT if kind == ATTEMPT else INTERNAL, attributes, failure)


_TITLES: Final = {
    TASK: "invoke_workflow",
    AGENT: "invoke_agent",
    CALL: "call",
    ATTEMPT: "chat",
    TOOL: "execute_tool",
    WAIT: "wait",
}
"""How the names of spans begin. The conventions ask for a low cardinality, so the number of a task is not in them."""


def _attempt(
    vocabulary: Vocabulary, _ordinal: int, arrival_s: float, start_s: float, first_token_s: float, input_tokens: int,
    output_tokens: int, cache_read_tokens: int, cache_write_tokens: int, cost_usd: float, http_status: int,
    retry_after_s: float, _correct: int,
) -> Iterator[tuple[str, Number]]:  # fmt: skip
    """The numbers that only an attempt has."""
    cached = max(cache_read_tokens, 0) + max(cache_write_tokens, 0)
    prompt_tokens = input_tokens + cached if input_tokens >= 0 else -1
    if prompt_tokens >= 0:
        yield vocabulary.prompt_tokens, prompt_tokens
    if output_tokens >= 0:
        yield vocabulary.output_tokens, output_tokens
    if vocabulary.total_tokens and prompt_tokens >= 0 and output_tokens >= 0:
        yield vocabulary.total_tokens, prompt_tokens + output_tokens
    if cache_read_tokens >= 0:
        yield vocabulary.cache_read_tokens, cache_read_tokens
    if cache_write_tokens >= 0:
        yield vocabulary.cache_write_tokens, cache_write_tokens
    if cost_usd == cost_usd:
        yield names.COST_USD, cost_usd
        if vocabulary.cost_usd:
            yield vocabulary.cost_usd, cost_usd
    if start_s == start_s:
        yield names.QUEUE_WAIT_S, round(start_s - arrival_s, 6)
    if vocabulary.ttft_s and first_token_s == first_token_s:
        yield vocabulary.ttft_s, round(first_token_s - arrival_s, 6)
    if http_status >= 0:
        yield names.HTTP_STATUS, http_status
    if retry_after_s == retry_after_s:
        yield names.RETRY_AFTER_S, retry_after_s


def _milestones(
    _ordinal: int, _arrival_s: float, start_s: float, first_token_s: float, *_: float
) -> list[tuple[int, str, str]]:  # fmt: skip
    """The times inside an attempt as events, because a span for its queue would be one more span to count."""
    return [
        (ids.unix_ns(at_s), name, "")
        for at_s, name in ((start_s, names.SERVICE_BEGINS), (first_token_s, names.FIRST_TOKEN))
        if at_s == at_s
    ]


def _events(events: Table) -> dict[int, list[tuple[int, str, str]]]:
    """By span, what happened in it."""
    found: dict[int, list[tuple[int, str, str]]] = {}
    for at_s, span_id, name, detail in events.rows("at_s", "span_id", "name", "detail"):
        found.setdefault(span_id, []).append((ids.unix_ns(at_s), name, detail))
    return found
