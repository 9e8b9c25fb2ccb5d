"""The programs of docs/findings.md, and what is said of them; `python -m tests.findings.page` writes that anew."""

from __future__ import annotations

import inspect
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.metrics import Finding
from harness.run import Simulation
from harness.sim import Sim

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "findings.md"
READER = ROOT / "tests" / "reader"

_SECTION = re.compile(
    r"^### (?P<kind>\w+)\n(?P<words>.*?)^```python\n(?P<code>.*?)^```\n\n```text\n(?P<said>.*?)^```\n",
    re.MULTILINE | re.DOTALL,
)
_WIDTH = 118

_SCENARIO = """\
scenario: program
workload: {{tasks: 4, arrivals: {{every_s: 1}}}}
target: {target}
agents: {{planner: {{output_tokens: 10}}}}
"""


class Section(NamedTuple):
    """What the page says of one kind of finding."""

    kind: str
    code: str
    said: str

    def findings(self, which: Literal["wrong", "right"]) -> list[Finding]:
        """What is found in a run of one of the two programs."""
        module: dict[str, Any] = {"__name__": self.kind}
        exec(compile(self.code, f"{self.kind}.py", "exec"), module)
        if inspect.signature(module[which]).parameters:
            return self._findings_of_tasks(which)
        sim = Sim(seed=1)
        module.get("around", id)(sim)
        with suppress(Exception):  # one that fails is judged as well
            sim.run(module[which])
        return sim.last_run.findings

    def _findings_of_tasks(self, which: str) -> list[Finding]:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, f"{self.kind}.py").write_text(self.code, encoding="utf-8")
            scenario = Path(folder, "s.yaml")
            scenario.write_text(_SCENARIO.format(target=f"{self.kind}:{which}"), encoding="utf-8")
            return list(Simulation(scenario).run().findings)


def sections(text: str) -> list[Section]:
    """All of the page."""
    return [Section(it["kind"], it["code"], it["said"]) for it in _SECTION.finditer(text)]


def told(found: list[Finding], kind: str) -> str:
    """The findings of one kind, as the page has them."""
    return "".join(
        f"{textwrap.fill(str(finding), _WIDTH, subsequent_indent='  ', break_on_hyphens=False)}\n"
        for finding in found
        if finding.kind == kind
    )


def _written(text: str) -> Iterator[str]:
    place = 0
    for section, found in zip(sections(text), _SECTION.finditer(text), strict=True):
        yield text[place : found.start("said")]
        yield told(section.findings("wrong"), section.kind)
        place = found.end("said")
    yield text[place:]


if __name__ == "__main__":
    sys.path.insert(0, str(READER))
    PAGE.write_text("".join(_written(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
