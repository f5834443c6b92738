"""What tests of pages share: the browser, and what every page of a report has to hold."""

import shutil
from itertools import product

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAPER = 1031
"""Pixels between the margins of A4 in landscape, as the style sheet sets them."""


def violations(page):
    """What axe-core (WCAG 2.2 AA and best practice) finds on a page, what igv.js draws by itself left out."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed (pip install axe-playwright-python)"
    )
    found = axe.Axe().run(page, context={"exclude": [["#browser"]]}, options={"runOnly": RULES})
    return [f"{one['id']}: {node['html'][:120]}" for one in found.response["violations"] for node in one["nodes"]]


def wide_charts(page):
    """Charts that are cut off, or scroll, in the window of a page."""
    return page.locator(".chart:visible").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => `${one.id} ${one.scrollWidth}`)"
    )


def sideways(page):
    """Pixels by which a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def faults(report, browser):
    """What is wrong with the pages of a report, opened from the disk on a desk and on a telephone."""
    pages = sorted(report.glob("*.html"))
    found = [f"{path.name}: more than 6 MB" for path in pages if path.stat().st_size > 6e6]
    for path, width in product(pages, (1366, 390)):
        page = browser.new_page(viewport={"width": width, "height": 844}, offline=True)
        seen = []
        page.on("pageerror", lambda error, seen=seen: seen.append(str(error)))
        page.goto(f"file://{path}", timeout=180_000)
        if path.name != "models.html":  # it has no script that draws
            page.wait_for_selector("body[data-ready=yes]", timeout=180_000)
        seen += [*violations(page), *wide_charts(page)]
        seen += [f"{sideways(page)} pixels too wide"] if sideways(page) else []
        if width > 1000:
            page.emulate_media(media="print")
            page.set_viewport_size({"width": PAPER, "height": 700})
            seen += [f"{sideways(page)} pixels too wide for paper"] if sideways(page) else []
        found += [f"{path.name} at {width}: {text}" for text in seen]
        page.close()
    return found
