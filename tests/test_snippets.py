"""Every Python and YAML example of the README and of docs/ runs as it stands, or says why it is an excerpt.

A comment `<!-- excerpt: why -->` on the line before a block says that it is not whole. What examples import from
`my_app` is in tests/reader, and in the programs that the page itself shows; of two with one name, the later is meant.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema.validators  # noqa: F401 - before pytester, which takes away what is first imported in its tests
import pytest
import yaml

from harness.cli import run
from harness.scenario import load_scenario
from harness.scenario.schema import Scenario, TargetScenario
from harness.sim import Sim

ROOT = Path(__file__).parents[1]
READER = ROOT / "tests" / "reader"
FENCE = re.compile(
    r"^(?P<before>[^\n]*)\n(?P<indent> *)```(?P<language>python|yaml)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
EXCERPT = re.compile(r"<!-- excerpt: \S.* -->")
KEYS = frozenset({*Scenario.model_fields, *TargetScenario.model_fields})


class Snippet(NamedTuple):
    """One example."""

    page: str
    line: int
    language: str
    code: str
    is_excerpt: bool

    @property
    def is_test(self) -> bool:
        return "def test_" in self.code


def _snippets() -> Iterator[Snippet]:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start("code"))
            indent = len(found["indent"])
            code = "\n".join(row[indent:] for row in found["code"].splitlines())
            yield Snippet(
                page.name,
                line,
                found["language"],
                f"{code}\n",
                EXCERPT.search(found["before"]) is not None,
            )


SNIPPETS = list(_snippets())


def _whole(language: str, *, test: bool | None = None) -> list[Any]:
    return [
        pytest.param(snippet, id=f"{snippet.page}:{snippet.line}")
        for snippet in SNIPPETS
        if snippet.language == language
        and not snippet.is_excerpt
        and (test is None or test == snippet.is_test)
    ]


def test_every_block_of_python_or_yaml_is_found() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    fences = sum(
        len(re.findall(r"^ *```(?:python|py|yaml|yml)\b", page.read_text("utf-8"), re.MULTILINE))
        for page in pages
    )
    assert len(SNIPPETS) == fences


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a reader, who has the program of the guide and the scenarios of this repository."""
    folder = tmp_path / "reader"
    shutil.copytree(READER, folder)
    for name in ("scenarios", "stubs"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "stubs" / "plan.yaml").write_text("agents: {planner: {reply: 1. cost}}\n", "utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("my_app", None)


@pytest.mark.parametrize("snippet", _whole("python", test=True))
def test_tests_of_the_documentation_pass(
    snippet: Snippet, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sim().run(_nothing)  # imports what a run imports; see above
    monkeypatch.syspath_prepend(pytester.path)
    programs = [
        one.code
        for one in SNIPPETS
        if (one.page, one.language) == (snippet.page, "python")
        and "def " in one.code
        and not (one.is_excerpt or one.is_test)
    ]
    reader = (READER / "my_app.py").read_text(encoding="utf-8")
    pytester.makepyfile(my_app="\n\n".join([reader, *programs]), test_snippet=snippet.code)
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider")
    result = pytester.runpytest_inprocess("-p", "no:hypothesispytest", "-p", "no:asyncio")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}, outcomes


async def _nothing() -> None:
    import anthropic
    import openai

    async with anthropic.AsyncAnthropic() as client:
        await client.messages.create(
            model="claude-sonnet-4-6", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
    await openai.AsyncOpenAI().models.list()


@pytest.mark.parametrize("snippet", _whole("python", test=False))
def test_python_of_the_documentation_runs(
    snippet: Snippet, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "Store(" in snippet.code:  # somebody has simulated before
        scenario = next(one.code for one in SNIPPETS if "support-desk" in one.code)
        (reader / "support.yaml").write_text(scenario, encoding="utf-8")
        run(["simulate", "support.yaml", "--set", "workload.tasks=20"])
    exec(compile(snippet.code, "snippet", "exec"), {"__name__": __name__})


@pytest.mark.parametrize("snippet", _whole("yaml"))
def test_yaml_of_the_documentation_is_a_scenario_or_a_part_of_one(
    snippet: Snippet, reader: Path
) -> None:
    code = snippet.code
    said: dict[str, Any] = yaml.safe_load(code)
    assert set(said) <= KEYS, "say why it is an excerpt in a comment before it"
    if "scenario" not in said:
        whole = (reader / "scenarios" / "code_review.yaml").read_text(encoding="utf-8")
        rest = yaml.safe_load(whole)
        code = yaml.safe_dump({**rest, **said}, sort_keys=False)
    file = reader / ("snippet.yaml" if "scenario" in said else "scenarios/snippet.yaml")
    file.write_text(code, encoding="utf-8")
    load_scenario(file)
