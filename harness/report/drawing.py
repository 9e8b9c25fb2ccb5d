"""Convert a matplotlib figure to the bytes of a page or file; the same figure gives the same bytes.

The style is applied to one figure at a time; the user's settings of matplotlib are not changed.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from harness.report.palette import with_variables

if TYPE_CHECKING:
    from matplotlib import RcParams
    from matplotlib.figure import Figure

DOTS_PER_INCH: Final = 160
"""Sharp on a screen with two pixels for one, and small enough for a chat or a pull request."""

WIDTH_IN: Final = 9.6
"""Of most figures [in]: as wide as a page, so that letters are nearly as large as the text's."""

HALF_IN: Final = 5.2
"""Of a figure that has another one beside it [in]."""

_PIXELS_PER_POINT: Final = 96 / 72

_SHRUNK, _STRETCHED = 0.85, 1.15
"""How much smaller or larger than it was drawn a figure may be shown: beyond that its letters cannot be read, or shout."""


def load() -> None:
    """Import what figures are drawn with, which takes a third of a second: for a process that waits for others meanwhile."""
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401

    _parameters()


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house's style inside the block; as a decorator, in the whole function.

    A letter that the house's font does not have is a box in a picture, and on a page it is drawn in the reader's own font:
    neither is worth a warning.
    """
    import matplotlib

    with matplotlib.rc_context(_parameters()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


@cache
def _parameters() -> RcParams:
    import matplotlib

    with resources.as_file(resources.files("harness.report") / "house.mplstyle") as style:
        read = matplotlib.rc_params_from_file(style, use_default_template=True)
    # Figures have a canvas of their own. To set the backend would look for a screen, and import pyplot for it.
    return read.find_all("^(?!backend$)")


def as_svg(figure: Figure, key: str, alt: str) -> str:
    """A figure for a page: colours are variables, ids are its own, and it scales.

    Args:
        figure: The figure.
        key: What its ids begin with; another for each figure of a page.
        alt: What it shows, in words; not escaped yet.
    """
    text = io.StringIO()
    with house_style():
        figure.savefig(
            text, format="svg", facecolor="none", metadata={"Date": None, "Creator": None}
        )
    figure.set_layout_engine("none")  # it is laid out; a picture of it need not do it again
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    view = re.search(r'viewBox="([^"]+)"', svg)
    assert view is not None, "matplotlib writes a viewBox"
    width_px = float(view.group(1).split()[2]) * _PIXELS_PER_POINT
    bounds = f"min-width:{_SHRUNK * width_px:.0f}px;max-width:{_STRETCHED * width_px:.0f}px"
    head = f'<svg viewBox="{view.group(1)}" role="img" aria-label="{_attribute(alt)}" class="figure" style="{bounds}">'
    # Only inside of tags: what stands between them is text from outside, and may look like an id or a colour.
    return head + re.sub(r"<[^>]+>", lambda tag: _own(tag[0], key), svg[svg.index(">") + 1 :])


def _own(tag: str, key: str) -> str:
    """A tag whose ids begin with a key, and whose colours are variables."""
    return with_variables(re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", tag))


def as_png(figure: Figure) -> bytes:
    """A figure as a picture, on white."""
    data = io.BytesIO()
    with house_style():
        figure.savefig(data, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return data.getvalue()


def _attribute(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))
