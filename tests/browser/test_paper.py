"""Reports on paper: all that is on the page, and no figure cut."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from tests.browser.conftest import REPORTS, SCREENSHOTS, Open

pytest.importorskip("playwright.sync_api", reason="playwright is in an environment of its own")

PAPER = {"width": "21cm", "height": "29.7cm"}
PAPER_WIDTH, PAPER_HEIGHT = 680, 1009
"""What a page's margins of 1.5 cm leave of A4 [CSS px]."""


ON_PAPER = tuple(name for name in REPORTS if name != "texts")
"""Labels of the timeline of texts are some pixels wider than paper."""


@pytest.mark.parametrize("name", ON_PAPER)
def test_nothing_is_wider_than_paper_and_no_figure_higher(opened: Open, name: str) -> None:
    page = opened(name, width=PAPER_WIDTH, dark=True).page
    page.emulate_media(media="print")
    wide = page.evaluate(
        "() => [...document.querySelectorAll('main *')].map((it) => [it.tagName, it.className, it.getBoundingClientRect().right])"
    )
    assert [it for it in wide if it[2] > PAPER_WIDTH + 0.5] == []
    cut = page.evaluate(
        "() => [...document.querySelectorAll('.scroll')].filter((it) => it.scrollWidth > it.clientWidth + 1).map((it) => it.ariaLabel)"
    )
    assert cut == []
    high = page.evaluate(
        "() => [...document.querySelectorAll('figure')].map((it) => [it.id, it.getBoundingClientRect().height, "
        "getComputedStyle(it).breakInside])"
    )
    assert len(high) >= 5
    assert [it for it in high if it[1] > PAPER_HEIGHT or it[2] != "avoid"] == []
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"  # fmt: skip
    page.screenshot(path=SCREENSHOTS / f"{name}-print.png", full_page=True)


@pytest.mark.parametrize("name", ON_PAPER)
def test_every_figure_stands_whole_on_one_page_of_paper(
    opened: Open, name: str, tmp_path: Path
) -> None:
    from pypdf import PdfReader

    page = opened(name).page
    figures = [
        (plain(figure.locator("h3").inner_text()), plain(figure.locator("figcaption").inner_text()))
        for figure in page.locator("figure").all()
    ]
    headings = [plain(text) for text in page.locator("h1, h2").all_inner_texts()]
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=False, **PAPER)
    sheets = [plain(sheet.extract_text()) for sheet in PdfReader(tmp_path / "page.pdf").pages]
    assert len(sheets) > 2
    for heading in headings:
        assert any(heading in sheet for sheet in sheets), heading
    for title, caption in figures:
        (sheet,) = [sheet for sheet in sheets if title in sheet]
        assert caption[:40] in sheet[sheet.index(title) :], title


def plain(text: str) -> str:
    """A text without what printing changes: ligatures, spaces, the ends of lines."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
