"""The page of questions about alleles by axe with all that it holds unfolded, by keyboard, and on a telephone."""

import pytest
from browsing import CHROMIUM, sideways, violations, wide_charts
from shared_reports import made_once, synthetic

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
PAGE = "diagnosis.html"


@pytest.fixture(scope="session")
def questions(tmp_path_factory):
    return made_once(tmp_path_factory, "questions_study", synthetic("synthetic_questions").make_questions) / "report"


def test_axe_finds_nothing_in_what_is_unfolded_and_nothing_scrolls_sideways(opening, questions):
    page = opening(questions, PAGE)
    assert page.locator("main details").count() >= 3
    page.locator("main details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    for width in (1366, 768, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(50)
        assert violations(page) == [], width
        assert sideways(page) == 0, width


def test_a_telephone_shows_whole_charts(phone, questions):
    assert wide_charts(phone(questions, PAGE)) == []


def test_every_section_is_reached_by_keyboard_and_unfolds(opening, questions):
    page = opening(questions, PAGE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    targets = page.locator("nav a[href^='#']").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert {"#rests", "#controls", "#lookups", "#scores", "#cases", "#texts", "#statements", "#examples"} <= {*targets}
    assert all(page.locator(f"section{target} h2").count() == 1 for target in targets)
    assert page.locator(".scroll:not([tabindex])").count() == 0
    fold = page.locator("#lookups summary")
    for _ in range(200):
        page.keyboard.press("Tab")
        if fold.evaluate("one => one === document.activeElement"):
            break
    assert fold.evaluate("one => one === document.activeElement && getComputedStyle(one).outlineStyle !== 'none'")
    page.keyboard.press("Enter")
    assert page.locator("#lookups details[open] table").is_visible()


def test_the_verdict_of_a_run_and_its_cases_are_read_without_colours_and_pointer(opening, questions):
    page = opening(questions, PAGE)
    assert "cnn (reads): variant used" in page.locator("#summary").inner_text()
    card = page.locator("#cases .bases").last.inner_text()
    assert "strongest:" in card and "variant" in card
