"""What people look at: pages, pictures and an index, drawn from a store alone, so that they can be drawn again.

`contents.py` is what a report is about, `sections/` what it says, `blocks.py` what that is made of, `page.py` how it is
written; `figures/` and `timeline/` draw. matplotlib and jinja2 belong to this folder, and are loaded when something is drawn.
"""

from __future__ import annotations

from harness.report.contents import Contents, Side
from harness.report.index import write_index
from harness.report.page import write_report

__all__ = ["Contents", "Side", "write_index", "write_report"]
