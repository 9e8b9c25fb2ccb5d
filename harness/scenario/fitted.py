"""Latency and sizes that a scenario takes from the file of `harness calibrate`: `latency: {profile: FILE}`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from harness.chance.distributions import AnyDistribution
from harness.errors import ScenarioError, did_you_mean
from harness.faults import AnyFault, InjectedFault
from harness.fields import AgentName, ModelName, OrRecord, ScenarioFile
from harness.provider import Latency
from harness.scenario.yaml_file import read_yaml

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedProfile:
    """A latency profile in a file that `harness calibrate` wrote."""

    profile: ScenarioFile
    """The file; a relative path starts at the scenario."""
    model: str | None = None
    """The model in it; absent means its only one."""
    agent: str | None = None
    """The agent whose calls of that model were fitted; absent means all calls."""


def _latency(said: Latency | FittedProfile) -> Latency:
    if isinstance(said, Latency):
        return said
    try:
        return read_latency(said)
    except ScenarioError as error:
        raise PydanticCustomError("one_of", "{why}", {"why": str(error)}) from None


AnyLatency = Annotated[
    Latency,
    OrRecord(value=Latency, record=FittedProfile, key="profile", unless=None),
    AfterValidator(_latency),
]
"""A latency profile, stated or from a file."""


def _size(said: AnyDistribution | FittedProfile) -> AnyDistribution:
    if not isinstance(said, FittedProfile):
        return said
    try:
        return read_output_tokens(said)
    except ScenarioError as error:
        raise PydanticCustomError("one_of", "{why}", {"why": str(error)}) from None


AnySize = Annotated[
    AnyDistribution,
    OrRecord(value=AnyDistribution, record=FittedProfile, key="profile", unless=None),
    AfterValidator(_size),
]
"""Sizes of replies, stated or from a fitted profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFaults:
    """Faults in a file that `harness calibrate` wrote: as many attempts fail, and in the same ways, as calls that were measured."""

    profile: ScenarioFile
    """The file; a relative path starts at the scenario."""
    model: str | None = None
    """The model in it; absent means its only one."""
    agent: AgentName | None = None
    """The agent whose calls of that model were measured, and only whose attempts fail; absent means all calls and all agents."""
    at: ModelName | None = None
    """Only attempts at this model of the scenario."""


def _faults(said: tuple[InjectedFault | FittedFaults, ...]) -> tuple[InjectedFault, ...]:
    found: list[InjectedFault] = []
    for one in said:
        if isinstance(one, InjectedFault):
            found.append(one)
            continue
        try:
            found += read_faults(one)
        except ScenarioError as error:
            raise PydanticCustomError("one_of", "{why}", {"why": str(error)}) from None
    return tuple(found)


AnyFaults = Annotated[
    tuple[
        Annotated[
            InjectedFault,
            OrRecord(value=AnyFault, record=FittedFaults, key="profile", unless=None),
        ],
        ...,
    ],
    AfterValidator(_faults),
]
"""Faults, stated or from fitted profiles; after validation all are stated."""


def read_faults(said: FittedFaults) -> list[InjectedFault]:
    """Read the faults of a fitted profile.

    Raises:
        ScenarioError: The file is none, or has no such model or agent, or no faults for it.
    """
    of = FittedProfile(profile=said.profile, model=said.model, agent=said.agent)
    found: list[InjectedFault] = list(_part(of, "faults", tuple[AnyFault, ...]))
    if said.at is None:
        return [replace(it, agent=said.agent, allow_unmet=True) for it in found]
    return [
        replace(it, agent=said.agent, model=said.at, allow_unmet=True)  # type: ignore[call-arg] # of attempts all
        for it in found
    ]


def read_latency(said: FittedProfile) -> Latency:
    """Read a fitted profile.

    Raises:
        ScenarioError: The file is none, or has no such model or agent.
    """
    return _part(said, "latency", Latency)  # type: ignore[no-any-return]  # as it was told


def read_output_tokens(said: FittedProfile) -> AnyDistribution:
    """Read the sizes of replies of a fitted profile.

    Raises:
        ScenarioError: The file is none, or has no such model or agent.
    """
    return _part(said, "output_tokens", AnyDistribution)  # type: ignore[no-any-return]  # as it was told


def _part(said: FittedProfile, name: str, kind: Any) -> Any:  # noqa: ANN401 - of that kind
    file = said.profile
    data = read_yaml(Path(file), file).data
    models = data.get("models") if isinstance(data, dict) else None
    if not isinstance(models, dict) or data.get("version") != _VERSION or not models:
        raise ScenarioError(
            f"{file}: this is no profile of `harness calibrate`, version {_VERSION}"
        )
    if said.model is None and len(models) > 1:
        raise ScenarioError(f"{file} has the models {', '.join(models)}: say which as `model`")
    entry = _entry(models, said.model or next(iter(models)), "model", file)
    if said.agent is not None:
        entry = _entry(entry.get("agents") or {}, said.agent, "agent", file)
    try:
        return TypeAdapter(kind).validate_python(entry.get(name))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (name, *first["loc"])))
        raise ScenarioError(f"{file}: {place}: {first['msg']}") from None


def profiles_in(data: object) -> Iterator[str]:
    """The files of fitted profiles that a scenario names, as it names them."""
    if isinstance(data, dict):
        for key, value in data.items():
            faults = value if key == "faults" and isinstance(value, list) else []
            for fault in faults:
                if isinstance(fault, dict) and isinstance(fault.get("profile"), str):
                    yield fault["profile"]
            takes = key in ("latency", "output_tokens") and isinstance(value, dict)
            file = value.get("profile") if takes else None
            if isinstance(file, str):
                yield file
            yield from profiles_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from profiles_in(value)


def _entry(entries: Any, name: str, what: str, file: str) -> Any:  # noqa: ANN401 - a part of a YAML file
    found = entries.get(name) if isinstance(entries, dict) else None
    if not isinstance(found, dict):
        known = list(entries) if isinstance(entries, dict) else []
        raise ScenarioError(
            f"{file}: no {what} {name!r}{did_you_mean(name, known)}; it has {', '.join(known) or 'none'}"
        )
    return found
