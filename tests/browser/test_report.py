"""Reports in a real browser: quiet, complete, usable by keyboard, in any width, scheme and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import REPORTS, SCREENSHOTS, WIDTHS, Open

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytest.importorskip("playwright.sync_api", reason="playwright is in an environment of its own")

PAGES = (*REPORTS, "task", "index", "notebook")
SCHEMES = {"light": False, "dark": True}

SERIOUS = {"serious", "critical"}

CONTRASTS = """() => {
  const parsed = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parsed(colour).map((it) => it / 255)
      .map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const colour = getComputedStyle(it).backgroundColor;
      if ((parsed(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("svg text")].filter((it) => it.textContent.trim()).map((it) => {
    const both = [getComputedStyle(it).fill, behind(it)].map(light).sort((a, b) => b - a);
    return [it.textContent.trim(), (both[0] + 0.05) / (both[1] + 0.05)];
  });
}"""
"""Of each text in a drawing, its contrast with what is behind it (WCAG 2.2); axe does not look at what is drawn."""


def visible_rows(table: Locator) -> list[Locator]:
    return [row for row in table.locator("tbody tr").all() if row.is_visible()]


def numbers(table: Locator, column: int) -> list[float]:
    return [
        float(row.locator("td").nth(column).get_attribute("data-value"))
        for row in visible_rows(table)
    ]


def scrolled_width(page: Page) -> tuple[int, int]:
    """How wide the page itself is, and how wide its window [CSS px]."""
    wide, window = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    return wide, window


# -- opening ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_from_its_file_without_a_word_or_a_request(
    opened: Open, pages: dict[str, Path], name: str
) -> None:
    found = opened(name)
    for summary in found.page.locator("summary").all():
        summary.click()
    found.page.wait_for_timeout(100)
    assert found.said == []
    assert found.requests == [pages[name].as_uri()]


def test_hostile_names_run_nothing_and_are_read_as_they_are(opened: Open) -> None:
    found = opened("names")
    assert found.page.locator("img").count() == 0
    cell = found.page.locator("#agents tbody td").first
    assert cell.text_content() == "lead<img src=x onerror=alert(1)> \ufffd\"'&\U0001f600"
    assert found.said == []


@pytest.mark.parametrize("name", REPORTS)
def test_page_is_complete_without_a_script(opened: Open, name: str) -> None:
    cells = "td[data-value], dd[data-value]"
    with_script, without = opened(name).page, opened(name, script=False).page
    texts = without.locator(cells).all_text_contents()
    assert texts == with_script.locator(cells).all_text_contents()
    assert len(texts) > 50
    assert all(text.strip() for text in texts)
    assert without.locator("button, input").count() == 0
    without.locator("#figure-latency-ecdf summary").click()
    assert without.locator("#figure-latency-ecdf td").first.is_visible()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_itself_never_scrolls_sideways(opened: Open, name: str, width: int) -> None:
    page = opened(name, width=width).page
    for summary in page.locator("summary").all():
        summary.click()
    wide, window = scrolled_width(page)
    assert wide <= window == width


# -- tables -----------------------------------------------------------------------------------------


def test_click_on_a_heading_sorts_and_a_second_one_turns_the_order(opened: Open) -> None:
    page = opened("runs").page
    table = page.locator("#agents table")
    titles = table.locator("thead th").all_text_contents()
    column = titles.index("cost")
    as_drawn = numbers(table, column)
    heading = table.locator("thead th").nth(column)
    heading.locator("button").click()
    assert numbers(table, column) == sorted(as_drawn) != as_drawn
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.locator("button").click()
    assert numbers(table, column) == sorted(as_drawn, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    table.locator("thead button").first.press("Enter")
    names = table.locator("tbody tr td:first-child").all_text_contents()
    assert names == sorted(names)
    assert heading.get_attribute("aria-sort") is None


def test_numbers_are_sorted_as_numbers_and_what_was_not_measured_comes_last(opened: Open) -> None:
    page = opened("index").page
    table = page.locator("#runs table")
    table.locator("thead button").first.click()
    assert numbers(table, 0) == list(range(1, 12))


def test_filter_leaves_the_rows_that_hold_the_words(opened: Open) -> None:
    page = opened("comparison").page
    section = page.locator("#comparison")
    table = section.locator("table")
    every = len(visible_rows(table))
    section.get_by_role("searchbox", name="Metrics of both sides").fill(" LATENCY_s ")
    names = [row.locator("td").first.text_content() for row in visible_rows(table)]
    assert names == [
        "latency_s_mean", "latency_s_p95", "latency_s_p50", "latency_s_p99", "latency_s_max",
    ]  # fmt: skip
    section.get_by_role("searchbox").fill("")
    assert len(visible_rows(table)) == every > 10


# -- timelines --------------------------------------------------------------------------------------


def test_tab_reaches_a_timeline_and_arrows_walk_through_its_marks(opened: Open) -> None:
    page = opened("runs").page
    drawing = page.locator("#figure-timeline-slowest .drawing")
    tip = page.locator("#tip")
    assert not tip.is_visible()
    drawing.focus()
    page.keyboard.press("Tab")
    marks = drawing.locator(".m").all()

    def focused() -> str:
        text: str = page.evaluate(
            "document.activeElement.querySelector('title')?.textContent ?? ''"
        )
        return text

    told = [mark.locator("title").text_content() for mark in marks]
    assert len(told) > 3
    assert focused() == told[0] == tip.text_content()
    for key, place in {
        "ArrowRight": 1,
        "ArrowDown": 2,
        "ArrowLeft": 1,
        "End": -1,
        "Home": 0,
    }.items():
        page.keyboard.press(key)
        assert focused() == told[place] == tip.text_content()
        assert tip.is_visible()
    page.keyboard.press("ArrowUp")
    assert focused() == told[0]
    page.keyboard.press("Tab")
    assert not tip.is_visible()


def test_pointer_on_a_mark_shows_its_details(opened: Open) -> None:
    page = opened("runs").page
    mark = page.locator("#figure-timeline-slowest .m").first
    mark.hover()
    assert page.locator("#tip").text_content() == mark.locator("title").text_content()
    page.locator("h1").hover()
    assert not page.locator("#tip").is_visible()


# -- for everybody ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault(opened: Open, name: str, dark: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(name, dark=dark).page
    for summary in page.locator("summary").all():
        summary.click()
    found = Axe().run(page).response["violations"]
    assert [
        (it["id"], it["nodes"][0]["html"][:200]) for it in found if it["impact"] in SERIOUS
    ] == []


@pytest.mark.parametrize("dark", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_texts_of_drawings_stand_out(opened: Open, name: str, dark: bool) -> None:
    found = opened(name, dark=dark).page.evaluate(CONTRASTS)
    assert found or name == "index"
    assert [it for it in found if it[1] < 4.5] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_follows_the_scheme_of_the_system(opened: Open, name: str) -> None:
    def colours(*, dark: bool) -> list[str]:
        page = opened(name, dark=dark).page
        found: list[str] = page.evaluate(
            "() => [document.querySelector('main'), document.querySelector('html, body')].flatMap("
            "(it) => [getComputedStyle(it).color, getComputedStyle(document.body).backgroundColor + "
            "getComputedStyle(document.documentElement).backgroundColor])"
        )
        return found

    for light, dark in zip(colours(dark=False), colours(dark=True), strict=True):
        assert light != dark


@pytest.mark.parametrize("dark", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("width", [WIDTHS["wide"], WIDTHS["phone"]])
@pytest.mark.parametrize("name", PAGES)
def test_screenshot_is_kept_to_be_looked_at(
    opened: Open, name: str, width: int, dark: bool
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    file = SCREENSHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png"
    opened(name, width=width, dark=dark).page.screenshot(path=file, full_page=True)
    assert file.stat().st_size > 10_000


# -- small screens ----------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_figures_that_are_wider_than_a_phone_say_that_they_scroll(
    opened: Open, script: bool
) -> None:
    told = """() => [...document.querySelectorAll(".drawing")].map((it) => [
      it.scrollWidth > it.clientWidth + 1, getComputedStyle(it, "::before").content.includes("scroll sideways")])"""
    page = opened("runs", width=390, script=script).page
    page.wait_for_timeout(100)
    found = page.evaluate(told)
    assert len(found) > 5
    assert [more for more, _ in found if more]
    assert all(says for more, says in found if more)
    if script:
        assert not [says for more, says in opened("runs", width=1280).page.evaluate(told) if says]


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", ["runs", "overload", "comparison"])
def test_texts_of_axes_can_be_read(opened: Open, name: str, width: int) -> None:
    heights = opened(name, width=width).page.evaluate(
        """() => [...document.querySelectorAll("svg.figure")].flatMap((svg) => {
          const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
          return [...svg.querySelectorAll("text")].map((it) => scale * parseFloat(getComputedStyle(it).fontSize));
        })"""
    )
    assert len(heights) > 20
    assert min(heights) >= 8.5


def test_figures_use_the_width_that_is_there(opened: Open) -> None:
    page = opened("overload", width=1280).page
    figure, text = (
        page.locator(it).first.bounding_box() for it in ("#figure-pressure svg", "#pressure")
    )
    assert figure is not None
    assert text is not None
    assert figure["width"] > 0.95 * text["width"]
