"""Results of a gate for people and for programs: one format per file, shared wording in `words.py`.

`page.py` is for reports, and imported by those who draw one. Every text from outside, such as an agent's name or the reason of a baseline, is escaped as its format demands.
"""

from __future__ import annotations

from harness.gate.output.github import as_annotations
from harness.gate.output.json_object import as_json
from harness.gate.output.junit import as_junit
from harness.gate.output.markdown import as_markdown
from harness.gate.output.table import print_result

__all__ = ["as_annotations", "as_json", "as_junit", "as_markdown", "print_result"]
