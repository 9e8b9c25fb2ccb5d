"""Reports: pages, pictures and an index, drawn from a store alone.

`contents.py` holds the data of a report, `sections/` its sections, `blocks.py` the blocks of a section; `page.py` writes
the page, `one_task.py` a short one of one task; `figures/` and `timeline/` draw. Only this folder uses matplotlib and jinja2; they are loaded when something is drawn.
"""

from __future__ import annotations

from harness.report.contents import Contents, Side
from harness.report.index import write_index
from harness.report.one_task import write_task_page
from harness.report.page import write_report

__all__ = ["Contents", "Side", "write_index", "write_report", "write_task_page"]
