"""Convert Python settings of a test to scenario records; wrong values give the same errors as in a file."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from harness.apis import APIS
from harness.chance.distributions import DISTRIBUTIONS, AnyDistribution, Constant
from harness.errors import HarnessError, did_you_mean
from harness.faults import FAULTS, InjectedFault
from harness.models import ToolCall
from harness.provider import Latency, Limits, Load, Outage, Overload, Queue
from harness.scenario.docstrings import field_docs
from harness.scenario.example_values import among, example_of
from harness.scenario.explore import RunLimits
from harness.scenario.fitted import AnyLatency
from harness.scenario.problems import UNKNOWN_KEY, in_words
from harness.units import Count, PositiveSeconds, Probability
from harness.wire.mcp.messages import VERSIONS
from harness.wire.mcp.server import About

Order = Literal["arrival", "random"]
"""Which of several threads goes next that may: the one that came first, or one that the seed chooses."""

F = TypeVar("F", bound=Callable[..., object])

PROVIDER_SETTINGS = (
    "requests_per_min",
    "input_tokens_per_min",
    "output_tokens_per_min",
    "concurrency",
    "queue_capacity",
    "latency",
    "overload",
    "outages",
    "load",
    "api",
    "hosts",
    "paths",
)


def settings_known(function: F) -> F:
    """Make a function reject an unknown setting, suggesting the nearest known one, and a plain value of the wrong kind."""
    parameters = inspect.signature(function).parameters
    known = [name for name in parameters if name != "self"]
    takes_others = any(it.kind is it.VAR_KEYWORD for it in parameters.values())
    plain = {name: _plain_kind(str(it.annotation)) for name, it in parameters.items()}

    @functools.wraps(function)
    def checked(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the function's
        __tracebackhide__ = True
        for name in kwargs:
            if name not in known and not takes_others:
                raise HarnessError(
                    f"sim.{function.__name__}: there is no setting {name!r}{did_you_mean(name, known)}\n"
                    f"  Known: {', '.join(known)}"
                )
        for name, value in (*zip(parameters, args, strict=False), *kwargs.items()):
            kind = plain.get(name)
            if kind is not None and not kind.fits(value):
                raise HarnessError(f"{name}: expected {kind.words} (got {value!r})")
        return function(*args, **kwargs)

    return cast("F", checked)


class _Kind(NamedTuple):
    """A kind of plain values."""

    fits: Callable[[object], bool]
    words: str


_KINDS = {
    "str": _Kind(lambda value: isinstance(value, str), "a text"),
    "bool": _Kind(lambda value: isinstance(value, bool), "True or False"),
    "Mapping": _Kind(lambda value: isinstance(value, Mapping), "a mapping"),
    "Callable": _Kind(callable, "a function"),
}


def _plain_kind(annotation: str) -> _Kind | None:
    """What a parameter with an annotation takes: one of the kinds, or None beside it; None if it takes something else."""
    stated, _, alternative = annotation.partition(" | ")
    kind = _KINDS.get(stated.partition("[")[0])
    if kind is None or alternative not in ("", "None"):
        return None
    fits = kind.fits
    return kind._replace(fits=lambda value: value is None or fits(value)) if alternative else kind


_SETTABLE = (
    "seed", "command", "horizon_s", "calls_per_task", "repeats_per_task", "order", "runs", "explore_budget", "explore_cases", "explore_replay",
)  # fmt: skip


def check_settable(owner: type, name: str) -> None:
    """Check the name of an attribute that is about to be set.

    Raises:
        HarnessError: The class has no such attribute.
    """
    if (
        name.startswith("_")
        or name in _SETTABLE
        or isinstance(getattr(owner, name, None), property)
    ):
        return
    known = [*_SETTABLE, *(it for it in dir(owner) if isinstance(getattr(owner, it), property))]
    raise HarnessError(
        f"sim.{name} = ...: there is nothing of this name to set{did_you_mean(name, known)}\n"
        "  How to fix: settings of an agent, a fault or a process are arguments, such as sim.agent(..., allow_unused=True)"
    )


def order(value: Order) -> Order:
    """Which thread goes next."""
    return _read(Order, "order", value)  # type: ignore[no-any-return]


def count(what: str, value: int) -> int:
    """A whole number from 1."""
    return _read(Count, what, value)  # type: ignore[no-any-return]


def seconds(what: str, value: float) -> float:
    """A duration above 0 [s]."""
    return _read(PositiveSeconds, what, value)  # type: ignore[no-any-return]


def share(what: str, value: float) -> float:
    """A number from 0 to 1."""
    return _read(Probability, what, value)  # type: ignore[no-any-return]


def names(what: str, value: object) -> frozenset[str]:
    """Some names."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise HarnessError(f"{what}: expected a list of names (got {value!r})")
    return frozenset(value)


def texts(what: str, value: object) -> tuple[str, ...]:
    """Some texts."""
    if (
        isinstance(value, str)
        or not isinstance(value, Iterable)
        or not all(isinstance(text, str) for text in value)
    ):
        raise HarnessError(f"{what}: expected a list of texts (got {value!r})")
    return tuple(value)


def headers(value: Mapping[str, str]) -> dict[str, str]:
    """Headers of requests."""
    for name, text in value.items():
        if not isinstance(text, str):
            raise HarnessError(f"headers: expected a text for {name!r} (got {text!r})")
    return dict(value)


def host(name: str) -> str:
    """The name of a host."""
    if re.fullmatch(r"[A-Za-z0-9_.-]+", name) is None:
        raise HarnessError(
            f"hosts: expected the name of a host alone (got {name!r})\n"
            '  How to fix: hosts=["api.groq.com"]; the path of its URLs, if it has to be told, is paths=["/openai/v1"]'
        )
    return name.lower()


def regex(what: str, value: str | None) -> str | None:
    """A regular expression."""
    try:
        re.compile(value or "")
    except re.error as error:
        raise HarnessError(f"{what}: not a regular expression: {error} (got {value!r})") from None
    return value


def tool_call(value: Any) -> ToolCall:  # noqa: ANN401 - whatever a test gives
    """A tool call: a `ToolCall`, or its name and arguments."""
    match value:
        case [str(), dict()]:
            return ToolCall(*value)
    raise HarnessError(f"tool_calls: expected (name, arguments) (got {value!r})")


def options(api: str, stated: Mapping[str, object]) -> Mapping[str, object]:
    """Options of an API."""
    if stated:
        maker = APIS[api].load()
        known = list(inspect.signature(maker).parameters)[1:]
        types = get_type_hints(maker.__init__ if inspect.isclass(maker) else maker)
        for name in stated:
            if name not in known:
                hint = did_you_mean(name, [*known, *PROVIDER_SETTINGS])
                raise HarnessError(
                    f"a provider has no setting {name!r}{hint}\n  Known: {', '.join([*PROVIDER_SETTINGS, *known])}"
                )
        return {name: _read(types[name], name, stated[name]) for name in stated}
    return stated


def distribution(what: str, value: Any) -> AnyDistribution:  # noqa: ANN401 - whatever a test gives
    """A distribution: a number, one of `harness.chance.distributions`, or as a scenario file says it."""
    if type(value) in DISTRIBUTIONS.values():
        return value  # type: ignore[no-any-return]
    return _read(AnyDistribution, what, value)  # type: ignore[no-any-return]


def latency(what: str, value: object) -> Latency:
    """A latency profile: a number or a distribution of the whole duration [s], or as a scenario file says it."""
    if isinstance(value, Latency):
        return value
    if isinstance(value, dict) and not value.keys().isdisjoint(("ttft_s", "rows", "profile")):
        return _read(AnyLatency, what, value)  # type: ignore[no-any-return]
    return Latency(ttft_s=distribution(what, value), itl_s=Constant(0.0))


def limits(**values: int | None) -> Limits | None:
    """Rate limits; None when there are none."""
    stated = {name: value for name, value in values.items() if value is not None}
    return _read(Limits, "the limits", stated) if stated else None


def run_limits(values: Mapping[str, float]) -> RunLimits:
    """What a run may take at most."""
    return _read(RunLimits, "limits", dict(values))  # type: ignore[no-any-return]


def overload(value: object) -> Overload | None:
    """Overload that comes and goes."""
    return (
        value
        if value is None or isinstance(value, Overload)
        else _read(Overload, "overload", value)
    )


def outage(value: object) -> Outage:
    """A planned outage."""
    return value if isinstance(value, Outage) else _read(Outage, "an outage", value)


def load(value: object) -> Load | None:
    """How the time per token grows with the number of attempts in service: a `Load`, a list of points, or as in a file."""
    if value is None or isinstance(value, Load):
        return value
    if isinstance(value, list | tuple):
        value = {"points": tuple(map(tuple, value))}
    return _read(Load, "load", value)  # type: ignore[no-any-return]


def mcp_about(
    name: str, version: str, instructions: str, protocol_versions: Sequence[str]
) -> About:
    """What an MCP server says of itself."""
    spoken = texts("protocol_versions", protocol_versions) or VERSIONS
    for each in spoken:
        if each not in VERSIONS:
            raise HarnessError(
                f"sim.mcp({name!r}): there is no protocol version {each!r}{did_you_mean(each, VERSIONS)}\n"
                f"  Known: {', '.join(VERSIONS)}"
            )
    return About(name=name, version=version, instructions=instructions, versions=tuple(spoken))


def queue(capacity: int | None, concurrency: int | None) -> Queue | None:
    """A queue of a bounded size, for slots of a bounded number."""
    if capacity is not None and concurrency is None:
        raise HarnessError(
            f"queue_capacity needs concurrency: nobody waits where all are served at once (got queue_capacity={capacity!r})\n"
            "  How to fix: sim.provider(..., concurrency=8, queue_capacity=...)"
        )
    return None if capacity is None else _read(Queue, "the queue", {"capacity": capacity})


def fault(kind: str | InjectedFault, fields: dict[str, Any]) -> InjectedFault:
    """A fault, by its name in a scenario file."""
    if isinstance(kind, InjectedFault):
        return _of_programs(kind, type(kind).__name__)
    if kind not in FAULTS:
        hint = did_you_mean(str(kind), FAULTS)
        raise HarnessError(f"there is no fault {kind!r}{hint}\n  Known: {', '.join(FAULTS)}")
    _check_required(kind, fields)
    return _of_programs(_read(FAULTS[kind], f"fault {kind!r}", fields), kind)


def _check_required(kind: str, given: Mapping[str, object]) -> None:
    """Check that a fault has the settings without which it means nothing.

    Raises:
        HarnessError: One is missing; it tells what to write.
    """
    record = FAULTS[kind]
    fields = {field.name: field for field in dataclasses.fields(record)}
    missing = [
        name
        for name, field in fields.items()
        if name not in given and field.default is field.default_factory is dataclasses.MISSING
    ]
    if not missing or not given.keys() <= fields.keys():
        return  # a setting that is not known may be the one that is missing
    type_: Any = record
    schema = _holder(type_).model_json_schema()
    parts, docs = schema["$defs"][record.__name__]["properties"], field_docs(record)
    needs = "; ".join(
        f"`{name}`, {among(parts[name], schema) or docs.get(name, 'which has no default').rstrip('.')}"
        for name in missing
    )
    example = {name: example_of(parts[name], schema) for name in missing}
    written = ", ".join(f"{name}={value!r}" for name, value in {**given, **example}.items())
    raise HarnessError(
        f"fault {kind!r} needs {needs}\n  How to fix: sim.fault({kind!r}, {written})"
    )


def _of_programs(fault: InjectedFault, name: str) -> InjectedFault:
    if fault.only_of_patterns:
        raise HarnessError(
            f"fault {name!r} meets {fault.meets_what} of a pattern; a program's own is not seen\n"
            "  How to fix: let a tool stand in for the function that sends, receives or stores it (`sim.tool(..., replaces=...)`), and "
            "give that a fault such as 'tool_fails', 'effect_lost', 'effect_twice' or 'tool_stale'"
        )
    return fault


_FIELD: Final = "it"
"""The one field of a holder."""


def _read(type_: object, what: str, value: object) -> Any:  # noqa: ANN401 - as the type says
    try:
        return _holder(type_).model_validate({"it": value}).it  # type: ignore[attr-defined]  # as made below
    except ValidationError as error:
        problems = "; ".join(
            f"{place}: {words}" if (place := _place(problem)) else words
            for problem in error.errors()
            if (words := f"{_what_is_wrong(problem, type_)} (got {problem['input']!r})")
        )
        raise HarnessError(f"{what}: {problems}") from None


_ALTERNATIVES: Final = ("mapping", "number")
"""Names of alternatives of a distribution, where pydantic tells of keys."""


def _place(problem: ErrorDetails) -> str:
    """The keys that lead to what is wrong, without the names of alternatives between them."""
    loc = map(str, problem["loc"][1:])
    return ".".join(part for part in loc if " " not in part and part not in _ALTERNATIVES)


def _what_is_wrong(problem: ErrorDetails, type_: object) -> str:
    if problem["type"] not in UNKNOWN_KEY:
        return in_words(problem)
    known = [name for name in _fields_of(_holder(type_).model_json_schema()) if name != _FIELD]
    return f"there is no such setting{did_you_mean(str(problem['loc'][-1]), known)}"


def _fields_of(schema: object) -> list[str]:
    """The names of all fields in a JSON Schema."""
    if isinstance(schema, list):
        return [name for part in schema for name in _fields_of(part)]
    if not isinstance(schema, dict):
        return []
    return [*schema.get("properties", {}), *_fields_of(list(schema.values()))]


@functools.cache
def _holder(type_: Any) -> type[BaseModel]:  # noqa: ANN401 - as the type says
    """A model with one field; records in it refuse what they do not know, as the config of a model reaches its fields."""
    return create_model("Given", __config__=ConfigDict(extra="forbid"), it=(type_, ...))
