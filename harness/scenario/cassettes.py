"""Read the cassettes that agents of a scenario name."""

from __future__ import annotations

from pathlib import Path

from harness.cassettes import Cassette, CassetteError, load_cassette
from harness.errors import ScenarioError
from harness.fields import is_file, path_from
from harness.models.cassette_agent import CassetteAgent
from harness.scenario.problems import nearest_file
from harness.scenario.schema import AnyScenario
from harness.scenario.yaml_file import Document


def read_cassettes(spec: AnyScenario, document: Document, folder: Path) -> dict[str, Cassette]:
    """The recordings of the agents that have one.

    Args:
        spec: The scenario.
        document: Where it stands, for messages.
        folder: Where relative paths begin.

    Raises:
        ScenarioError: There is no such file, it is no cassette, it holds no calls, or the agent has a stub as well.
    """
    found: dict[str, Cassette] = {}
    read: dict[Path, Cassette] = {}
    for agent, part in spec.agents.items():
        if part.cassette is None:
            continue
        place = f"{document.place(('agents', agent, 'cassette'))}: agents.{agent}.cassette"
        if part.stub is not None:
            raise ScenarioError(f"{place}: give one of stub and cassette, not both")
        path = path_from(folder, part.cassette)
        if not is_file(path):
            raise ScenarioError(f"{place}: there is no file {path}{nearest_file(path)}")
        try:
            if path not in read:
                read[path] = load_cassette(path)
            CassetteAgent(read[path], agent)
        except CassetteError as error:
            raise ScenarioError(f"{place}: {error}") from None
        found[agent] = read[path]
    return found
