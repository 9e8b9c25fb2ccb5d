"""Trace attributes of each span, shared by the OTLP writer and the OpenTelemetry SDK."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from typing import Any, Final, NamedTuple

from harness.spans import AGENT, ATTEMPT, CALL, OK, TASK, TOOL, WAIT, Table
from harness.trace import ids, names
from harness.trace.names import Vocabulary
from harness.trace.run import TracedRun
from harness.trace.timed import timed

INTERNAL: Final = 1
CLIENT: Final = 3
"""The kinds of span that occur, as OTLP numbers them."""

Number = int | float
Attribute = str | bool | Number


class Said(NamedTuple):
    """What the texts of a span amount to, and which numbers it has; spans are many, and these are few."""

    name: str
    kind: int
    """`INTERNAL` or `CLIENT`."""
    attributes: dict[str, Attribute | None]
    """None where each span has a number of its own."""
    error: str
    """The kind of failure; empty when it ended well."""
    milestones: tuple[str, ...]
    """Events at a time that each span has of its own."""


class Told(NamedTuple):
    """One span of a trace."""

    said: Said
    trace_id: int
    span_id: int
    parent_id: int
    """0 for a root."""
    start_ns: int
    end_ns: int
    numbers: tuple[Number, ...]
    """Its own: those of attributes, in their order, and then when its milestones were [ns since 1970]."""
    noted: list[tuple[int, str, str]]
    """Further events: when [ns since 1970], what, and more about it."""

    def attributes(self) -> dict[str, Attribute]:
        """All attributes of the span."""
        own = iter(self.numbers)
        return {
            name: next(own) if value is None else value
            for name, value in self.said.attributes.items()
        }

    def events(self) -> list[tuple[int, str, str]]:
        """Events of the span: time [ns since 1970], name, attributes."""
        milestones = self.said.milestones
        times_ns = self.numbers[len(self.numbers) - len(milestones) :]
        own = [(int(at_ns), name, "") for at_ns, name in zip(times_ns, milestones, strict=True)]
        return own + self.noted


def resource(run: TracedRun) -> dict[str, Attribute]:
    """Attributes shared by all spans of a run."""
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


_TEXTS = ("kind", "name", "agent", "model", "status", "error", "fault", "customer", "limited_by")
_NUMBERS = (
    "span_id",
    "parent_id",
    "task",
    "ordinal",
    "arrival_s",
    "end_s",
    "correct",
    "repeats",
    "priority",
)
_OF_ATTEMPTS = (
    "arrival_s", "start_s", "first_token_s", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cost_usd", "http_status", "retry_after_s",
)  # fmt: skip

_NONE: Final[tuple[Number | None, ...]] = ()


def told(run: TracedRun, vocabulary: Vocabulary) -> Iterator[Told]:
    """The spans of a run, in the order of its table; those that have no end are left out."""
    spans, texts = run.spans, run.spans.texts
    attempt = texts.index(ATTEMPT) if ATTEMPT in texts else -1
    base = ids.span_id_base(run.scenario_hash, run.seed)
    traces = {
        task: ids.trace_id(run.scenario_hash, run.seed, task)
        for task in dict.fromkeys(spans["task"])
    }
    noted = _noted(run.events)
    nothing: list[tuple[int, str, str]] = []
    found: dict[tuple[Any, ...], Said] = {}
    times = timed(spans)
    of_attempts = [spans[name] for name in _OF_ATTEMPTS]
    for row, (codes, (span_id, parent_id, task, ordinal, arrival_s, end_s, correct, repeats, priority), slack_s) in enumerate(
        zip(zip(*(spans[name] for name in _TEXTS), strict=True), spans.rows(*_NUMBERS), times.slacks_s, strict=True)
    ):  # fmt: skip
        if end_s != end_s:
            continue
        own, milestones = _NONE, _NONE
        if codes[0] == attempt:
            cells = [column[row] for column in of_attempts]
            own, milestones = _own_numbers(vocabulary, *cells), _milestones_ns(*cells[1:3])
        numbers = (
            span_id, task, *own, ordinal if ordinal >= 0 else None, repeats if repeats >= 0 else None,
            priority if priority >= 0 else None,
            ids.whole_us_s(slack_s) if slack_s == slack_s else None, *milestones,
        )  # fmt: skip
        present = tuple([number is not None for number in numbers])
        key = (codes, present, correct, span_id in times.on_path)
        if key not in found:
            said = _said(vocabulary, run.scenario, *(texts[code] for code in codes))
            found[key] = _with_numbers(said, vocabulary, *key[1:])
        yield Told(
            found[key], traces[task], base + span_id, base + parent_id if parent_id >= 0 else 0,
            ids.unix_ns(arrival_s), ids.unix_ns(end_s), tuple(compress(numbers, present)), noted.get(span_id, nothing),
        )  # fmt: skip


def _said(
    vocabulary: Vocabulary, scenario: str, kind: str, name: str, agent: str, model: str, status: str, error: str, fault: str,
    customer: str, limited_by: str,
) -> Said:  # fmt: skip
    """What the texts of a span amount to."""
    attributes = {names.KIND: kind, names.NAME: name, names.STATUS: status}
    more = {
        names.AGENT_NAME: agent,
        names.MODEL: model,
        names.FAULT: fault,
        names.CUSTOMER: customer,
        names.LIMITED_BY: limited_by,
    }
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
    return Said(title, CLIENT if kind == ATTEMPT else INTERNAL, {**attributes}, failure, ())


def _with_numbers(
    said: Said, vocabulary: Vocabulary, present: tuple[bool, ...], correct: int, critical: bool  # noqa: FBT001 - a fact of spans
) -> Said:  # fmt: skip
    """The same of spans that have certain numbers."""
    before = [names.SPAN_ID, names.TASK_NUMBER]
    milestones: list[str] = []
    if said.kind == CLIENT:
        before += _own_names(vocabulary)
        milestones += _MILESTONES
    before += [names.ORDINAL, names.REPEATS, names.PRIORITY]
    attributes = said.attributes | dict.fromkeys(compress(before, present))
    if correct >= 0:
        attributes[names.CORRECT] = bool(correct)
    if present[len(before)]:
        attributes[names.SLACK_S] = None
    if critical:
        attributes[names.CRITICAL] = True
    passed = present[len(before) + 1 :]
    return said._replace(attributes=attributes, milestones=tuple(compress(milestones, passed)))


_TITLES: Final = {
    TASK: "invoke_workflow",
    AGENT: "invoke_agent",
    CALL: "call",
    ATTEMPT: "chat",
    TOOL: "execute_tool",
    WAIT: "wait",
}
"""How the names of spans begin. The conventions ask for a low cardinality, so the number of a task is not in them."""


def _own_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The names of the numbers that only an attempt has."""
    return (
        vocabulary.prompt_tokens, vocabulary.output_tokens, vocabulary.total_tokens, vocabulary.cache_read_tokens,
        vocabulary.cache_write_tokens, names.COST_USD, vocabulary.cost_usd, names.QUEUE_WAIT_S, vocabulary.ttft_s,
        names.HTTP_STATUS, names.RETRY_AFTER_S,
    )  # fmt: skip


def _own_numbers(
    vocabulary: Vocabulary, arrival_s: float, start_s: float, first_token_s: float, input_tokens: int, output_tokens: int,
    cache_read_tokens: int, cache_write_tokens: int, cost_usd: float, http_status: int, retry_after_s: float,
) -> tuple[Number | None, ...]:  # fmt: skip
    """The numbers themselves; None for one that is absent, or has no name in this vocabulary."""
    prompt_tokens = input_tokens
    if input_tokens >= 0:
        prompt_tokens += max(cache_read_tokens, 0) + max(cache_write_tokens, 0)
    total = vocabulary.total_tokens and prompt_tokens >= 0 and output_tokens >= 0
    cost = cost_usd if cost_usd == cost_usd else None
    return (
        prompt_tokens if prompt_tokens >= 0 else None,
        output_tokens if output_tokens >= 0 else None,
        prompt_tokens + output_tokens if total else None,
        cache_read_tokens if cache_read_tokens >= 0 else None,
        cache_write_tokens if cache_write_tokens >= 0 else None,
        cost,
        cost if vocabulary.cost_usd else None,
        ids.whole_us_s(start_s - arrival_s) if start_s == start_s else None,
        ids.whole_us_s(first_token_s - arrival_s)
        if vocabulary.ttft_s and first_token_s == first_token_s
        else None,
        http_status if http_status >= 0 else None,
        retry_after_s if retry_after_s == retry_after_s else None,
    )


_MILESTONES: Final = (names.SERVICE_BEGINS, names.FIRST_TOKEN)
"""The times inside an attempt are events, because a span for its queue would be one more span to count."""


def _milestones_ns(start_s: float, first_token_s: float) -> tuple[int | None, ...]:
    return (
        ids.unix_ns(start_s) if start_s == start_s else None,
        ids.unix_ns(first_token_s) if first_token_s == first_token_s else None,
    )


def _noted(events: Table) -> dict[int, list[tuple[int, str, str]]]:
    """By span, what happened in it."""
    found: dict[int, list[tuple[int, str, str]]] = {}
    for at_s, span_id, name, detail in events.rows("at_s", "span_id", "name", "detail"):
        found.setdefault(span_id, []).append((ids.unix_ns(at_s), name, detail))
    return found
