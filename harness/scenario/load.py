"""Load a scenario from a file, or raise an error that says what is wrong and where."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.apis import APIS, VENDORS, vendor_of
from harness.cassettes import Cassette
from harness.errors import ScenarioError
from harness.fields import is_file, path_from
from harness.json_types import JsonObject
from harness.models import Reply, Script, distinct
from harness.provider import AnyPrices, Latency, latency_of, prices_of
from harness.scenario.cassettes import read_cassettes
from harness.scenario.choosing import choose
from harness.scenario.copies import counts_in, entries_of, written_out
from harness.scenario.fitted import profiles_in
from harness.scenario.functions import is_function_name, read_functions
from harness.scenario.parts import check_parts, files_of_numbers
from harness.scenario.policies import functions_of_policies, without_price
from harness.scenario.problems import allowed, dotted, explain, nearest, nearest_file
from harness.scenario.schema import (
    AnyScenario,
    ModelSpec,
    Scenario,
    TargetScenario,
    rebuild_if_registered,
)
from harness.scenario.spec import document_of
from harness.scenario.stubs import StubsOfFile
from harness.scenario.teams import (
    own_patterns,
    own_patterns_known,
    teams_under_agents,
    with_names,
)
from harness.scenario.yaml_file import MAX_DEPTH, Document, Path_, parse_yaml, read_yaml

_SECTIONS = ("providers", "models", "tools", "agents")

_NOT_OF_RUNS = frozenset(
    {"description", "seed", "runs", "budgets", "gate", "checkpoint", "bakeoff", "sweep", "explore"}
)
"""Sections that decide nothing in a run."""

_STUB_SUFFIXES = (".yaml", ".yml")

_OVERRIDDEN = r"[^.\[\]]+(\.[^.\[\]]+|\[\d{1,9}\])*"
"""How a path is written: `faults[0].hang.for_s`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedScenario:
    """A scenario with everything that its file refers to. It can be pickled, and so sent to other processes."""

    spec: AnyScenario
    """What the file says."""
    source: str
    """The file's name, as it was given."""
    folder: Path
    """The absolute path of the folder that holds the file."""
    overrides: tuple[str, ...]
    """What `--set` changed, as `path=value`."""
    digest: str
    """Changes when anything that decides a run changes, but for the seed."""
    scripts: dict[str, Script]
    """What agents with a file of replies say."""
    latencies: dict[str, Latency]
    """The latency profile of each model."""
    prices: dict[str, AnyPrices | None]
    """The prices of each model; None if unknown."""
    cassettes: dict[str, Cassette] = field(default_factory=dict)
    """What agents with a cassette said when they were recorded."""
    functions: tuple[str, ...] = ()
    """The functions of the user's own modules that it names, as `module:function`: its target, and stubs."""
    contestants: tuple[str, ...] = ()
    """The names under `bakeoff`."""
    keep_texts: bool = False
    """Whether prompts and replies are kept beside the spans; decides nothing that happens in a run."""

    @property
    def of_pattern(self) -> Scenario:
        """What the file says, of a scenario of a pattern."""
        assert isinstance(self.spec, Scenario), "a program of one's own has no pattern"
        return self.spec


def load_scenario(path: str | Path, *, overrides: Sequence[str] = ()) -> LoadedScenario:
    """Read a scenario file, and whatever it refers to.

    Args:
        path: The file.
        overrides: Changes, each as `path=value`, such as `workload.tasks=10`.

    Raises:
        ScenarioError: Something is wrong; names file, line, column, key, value and what is allowed.
    """
    name, path = str(path), Path(path)
    if not is_file(path):
        raise ScenarioError(f"{name}: {_why_no_file(path)}")
    document = read_yaml(path, name)
    if document.data is None:
        raise ScenarioError(
            f"{name}:1:1: the file is empty; `harness init` writes one to start from"
        )
    if not isinstance(document.data, dict):
        raise ScenarioError(
            f"{name}:1:1: a scenario is a mapping that begins with `scenario: NAME`"
        )
    return _loaded(document, path.parent, overrides)


def load_spec(
    spec: Mapping[str, object], *, folder: str | Path = ".", overrides: Sequence[str] = ()
) -> LoadedScenario:
    """Check a scenario that is a mapping, as it would be written in a file.

    Args:
        spec: What the file would say.
        folder: Where relative paths in it begin.
        overrides: Changes, each as `path=value`, such as `workload.tasks=10`.

    Raises:
        ScenarioError: Something is wrong; names key, value and what is allowed.
    """
    return _loaded(document_of(spec), Path(folder), overrides)


def _loaded(document: Document, parent: Path, overrides: Sequence[str]) -> LoadedScenario:
    before: dict[str | int, list[Any]] = {
        section: list(part) if isinstance(part := document.data.get(section), dict) else []
        for section in _SECTIONS
    }
    for override in overrides:
        _override(document, override)
    entries = document.data.get("bakeoff")
    is_chosen = choose(document)
    _check_new_are_used(document, before)
    spec = _validate(document, parent, is_chosen=is_chosen)
    check_parts(spec, document)
    folder = parent.absolute()
    functions = _functions(spec, document)
    modules = read_functions(functions, folder)
    cassettes = read_cassettes(spec, document, parent)
    scripts = _read_stubs(spec, document, parent)
    latencies = {model: _latency(model, spec.models[model], document) for model in spec.models}
    prices = {
        model: part.prices if part.prices is not None else prices_of(part.name, part.provider)
        for model, part in spec.models.items()
    }
    if isinstance(spec, Scenario):
        _check_prices_of_budgets(spec, prices, document)
    return LoadedScenario(
        spec=spec,
        source=document.file,
        folder=folder,
        overrides=tuple(overrides),
        digest=_digest(spec, scripts, cassettes, latencies, prices, modules, document, parent),
        scripts=scripts,
        cassettes=cassettes,
        latencies=latencies,
        prices=prices,
        functions=tuple(functions),
        contestants=tuple(entries) if isinstance(entries, dict) else (),
    )


def _check_prices_of_budgets(
    spec: Scenario, prices: Mapping[str, AnyPrices | None], document: Document
) -> None:
    models = {agent: part.model for agent, part in spec.agents.items()}
    found = without_price(spec.policies, models, prices)
    if found is not None:
        path, model = found
        raise ScenarioError(
            f"{document.place(path)}: {dotted(path)}: the price of model {model!r} is not known\n"
            "  How to fix: state `prices` for it, or give the budget in `tokens`"
        )


def _why_no_file(path: Path) -> str:
    try:
        if path.is_dir():
            return "this is a folder, not a file"
        if path.exists():
            return "this is neither a file nor a link to one"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    return f"the file does not exist{nearest_file(path) or _nearest_elsewhere(path)}"


def _nearest_elsewhere(path: Path) -> str:
    """A suggestion, when a folder one step from here has a scenario that is called like one that is not there."""
    try:
        there = sorted(str(it) for it in Path().glob("*/*.y*ml") if it.suffix in _STUB_SUFFIXES)
    except OSError:
        return ""
    by_stem = {Path(it).stem: it for it in reversed(there)}
    near = difflib.get_close_matches(path.stem, by_stem, n=1, cutoff=0.6)
    return f"; did you mean {by_stem[near[0]]!r}?" if near else ""


def _validate(document: Document, folder: Path, *, is_chosen: bool) -> AnyScenario:
    counts = counts_in(document.data)
    data = written_out(with_names(document.data), counts)
    known = {
        section: dict.fromkeys(part)  # asked once for each name that stands in the file
        for section in _SECTIONS
        if isinstance(part := data.get(section, {}), dict)
    }
    kind: type[AnyScenario] = Scenario
    if "target" in document.data:
        kind = TargetScenario
        # Its agents and models may be known by their own names alone.
        known = {section: names for section, names in known.items() if section in document.data}
        known["providers"] = dict.fromkeys([*known.get("providers", ()), *APIS, *VENDORS])
        known.pop("models", None)
        processes = document.data.get("processes")
        if isinstance(processes, dict):
            known["tools"] = dict.fromkeys([*known.get("tools", ()), *processes])
    with own_patterns_known(document, folder):
        rebuild_if_registered(kind)
        try:
            return kind.model_validate_json(
                json.dumps(data),
                context={
                    **known,
                    "teams": dict.fromkeys(teams_under_agents(data)),
                    "counts": counts,
                    "folder": folder,
                },
            )
        except ValidationError as error:
            # What is wrong with an entry is said where it stands, and not again of the pattern that it was chosen for.
            said_elsewhere = ("pattern",) if is_chosen else ()
            problems = explain(
                error, document, kind, but=said_elsewhere, entries=entries_of(counts)
            )
            raise ScenarioError(*problems) from None


def _override(document: Document, override: str) -> None:
    target, equals, text = override.partition("=")
    steps = re.findall(r"[^.\[\]]+|\[\d{1,9}\]", target)
    if not equals or not re.fullmatch(_OVERRIDDEN, target):
        raise ScenarioError(f"--set {override}: write it as path=value, such as workload.tasks=10")
    path: Path_ = tuple(int(step[1:-1]) if step.startswith("[") else step for step in steps)
    if len(path) > MAX_DEPTH:
        raise ScenarioError(f"--set {target[:60]}...: the path has more than {MAX_DEPTH} levels")
    around: Any = document.data
    for depth, part in enumerate(path[:-1]):
        if isinstance(around, dict) and isinstance(part, str):
            around = around.setdefault(part, {})
        elif isinstance(around, list) and isinstance(part, int) and part < len(around):
            around = around[part]
        else:
            raise ScenarioError(f"--set {override}: there is no key {dotted(path[: depth + 1])}")
    last: Any = path[-1]
    if isinstance(around, list):
        fits = isinstance(last, int) and last < len(around)
    else:
        fits = isinstance(around, dict) and isinstance(last, str)
    if not fits:
        raise ScenarioError(
            f"--set {override}: {dotted(path[:-1]) or 'the file'} has no place for {last!r}"
        )
    around[last] = parse_yaml(text, f"--set {target}").data
    document.overrides[path] = override


def _check_new_are_used(document: Document, before: Mapping[str | int, list[Any]]) -> None:
    """Refuse a key of an agent, model, tool or provider that was not there before and that nothing names: it is misspelt."""
    for path, override in document.overrides.items():
        if len(path) < 3 or path[0] not in before or path[1] in before[path[0]]:
            continue
        section, name = path[0], str(path[1])
        is_whole = path[:1] in document.overrides or path[:2] in document.overrides
        is_api = section == "providers" and "target" in document.data and vendor_of(name)
        if is_whole or is_api or _is_named(document.data, name, path[:2]):
            continue
        near = nearest(name, before[section]) or allowed(before[section])
        raise ScenarioError(
            f"--set {override}: there is no key {dotted(path[:2])}{near}\n"
            f"  To add one, give all of it: --set '{dotted(path[:2])}={{...}}'"
        )


def _is_named(data: object, name: str, but: Path_, path: Path_ = ()) -> bool:
    """Whether a name stands anywhere in a file, as a value or a key, but at one path."""
    if path == but:
        return False
    if isinstance(data, dict):
        keys = any(key == name and (*path, key) != but for key in data)
        return keys or any(_is_named(inner, name, but, (*path, key)) for key, inner in data.items())
    if isinstance(data, list):
        return any(_is_named(inner, name, but, (*path, place)) for place, inner in enumerate(data))
    return bool(data == name)


def _read_stubs(spec: AnyScenario, document: Document, folder: Path) -> dict[str, Script]:
    scripts: dict[str, Script] = {}
    files: dict[Path, StubsOfFile] = {}
    entries = entries_of(counts_in(document.data))
    for agent, part in spec.agents.items():
        if part.stub is None or not part.stub.endswith(_STUB_SUFFIXES):
            continue
        path = path_from(folder, part.stub)
        if not is_file(path):
            place = _place_of_stub(agent, document)
            raise ScenarioError(f"{place}: there is no file {path}{nearest_file(path)}")
        if path not in files:
            files[path] = StubsOfFile(path, str(path))
        entry = agent if agent in document.data["agents"] else entries.get(agent, agent)
        scripts[agent] = files[path].script_of(entry)
    return scripts


def _functions(spec: AnyScenario, document: Document) -> dict[str, str]:
    """The functions that a scenario names, each with where it does so first."""
    functions = {
        name: f"{document.place(path)}: {dotted(path)}"
        for name, path in own_patterns(document.data).items()
    }
    if isinstance(spec, TargetScenario):
        place = f"{document.place(('target',))}: target"
        if not is_function_name(spec.target):
            raise ScenarioError(
                f"{place}: {spec.target!r} is not the name of a function, such as module:function"
            )
        functions[spec.target] = place
    for agent, part in spec.agents.items():
        if part.stub is None or part.stub.endswith(_STUB_SUFFIXES):
            continue
        place = _place_of_stub(agent, document)
        if not is_function_name(part.stub):
            raise ScenarioError(
                f"{place}: {part.stub!r} is neither a file that ends in .yaml nor a function as module:function"
            )
        functions.setdefault(part.stub, place)
    for path, name in functions_of_policies(spec):
        place = f"{document.place(path)}: {dotted(path)}"
        if not is_function_name(name):
            raise ScenarioError(
                f"{place}: {name!r} is not the name of a function, such as module:function"
            )
        functions.setdefault(name, place)
    return functions


def _place_of_stub(agent: str, document: Document) -> str:
    return f"{document.place(('agents', agent, 'stub'))}: agents.{agent}.stub"


def _latency(model: str, part: ModelSpec, document: Document) -> Latency:
    if part.latency is not None:
        return part.latency
    try:
        return latency_of(part.name)
    except ScenarioError as error:
        place = document.place(("models", model, "name"))
        raise ScenarioError(f"{place}: models.{model}.name: {error}") from None


class _Written:
    """A reply of a script, of which nothing can be recorded; digests are the same as before there were recordings."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __repr__(self) -> str:
        return repr(self._reply).replace(", recorded=None)", ")")


def _digest(
    spec: AnyScenario,
    scripts: dict[str, Script],
    cassettes: dict[str, Cassette],
    latencies: dict[str, Latency],
    prices: dict[str, AnyPrices | None],
    modules: list[str],
    document: Document,
    folder: Path,
) -> str:
    """Hash what decides a run: not the description, the seeds, the budgets, the gate, the checkpoint, the sweep, the search, nor where a line of a stub stands."""
    said = {
        script.agent: (
            script.in_order,
            script.when_exhausted,
            [(_Written(line.reply), line.prompt, line.prompt_regex) for line in script.lines],
        )
        for script in distinct(scripts.values())
    }
    data: JsonObject = {
        key: value for key, value in document.data.items() if key not in _NOT_OF_RUNS
    }
    parts = [json.dumps(data, sort_keys=True), repr(said), repr(latencies), repr(prices)]
    parts += [
        hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files_of_numbers(spec)
    ]
    parts += [
        hashlib.sha256(path_from(folder, file).read_bytes()).hexdigest()
        for file in profiles_in(document.data)
    ]
    parts += modules
    parts += [repr(cassette.interactions) for cassette in cassettes.values()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
