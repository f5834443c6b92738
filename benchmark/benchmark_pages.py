"""How long each page of a report keeps a browser busy until it is drawn, and how large it is.

    python benchmark/benchmark_pages.py [results/demo/report ...] [--rounds 3]

Processor time of the main thread of headless Chromium (ticks of the thread, so that other work on the machine counts
little), the least of some rounds, for the page opened from the disk without a network, up to `data-ready`; and the
part of it that is scripts. Elapsed seconds on a quiet core are about the first figure.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> int:
    """Print a line for each page, the slowest first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, nargs="*", help="folder of a report (default: all in results/)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each page is opened (default: 3)")
    parser.add_argument("--browser", default="/usr/bin/chromium", help="default: /usr/bin/chromium")
    arguments = parser.parse_args()
    folders = arguments.report or sorted(Path("results").glob("*/report"))
    pages = [page for folder in folders for page in sorted(folder.glob("*.html"))]
    if not pages:
        print("no pages here: make demo")
        return 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.browser, args=ARGUMENTS)
        rows = [(*min(opened(browser, page) for _ in range(arguments.rounds)), page) for page in pages]
        browser.close()
    print("busy (s)", "scripts (s)", "elapsed (s)", "MB", "page", sep="\t")
    for busy, scripts, elapsed, page in sorted(rows, reverse=True):
        print(f"{busy:.2f}", f"{scripts:.2f}", f"{elapsed:.2f}", f"{page.stat().st_size / 1e6:.2f}", page, sep="\t")
    return 0


def opened(browser: Browser, path: Path) -> tuple[float, float, float]:
    """Open a page in a fresh context; return seconds that its main thread was busy, in scripts, and that passed."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, offline=True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = measured(session)
    begun = time.perf_counter()
    page.goto(f"file://{path.resolve()}")
    if 'data-ready="yes"' in path.read_text() or "dataset.ready" in path.read_text():
        page.wait_for_selector("body[data-ready=yes]", timeout=180_000)
    elapsed = time.perf_counter() - begun
    after = measured(session)
    context.close()
    return after["TaskDuration"] - before["TaskDuration"], after["ScriptDuration"] - before["ScriptDuration"], elapsed


def measured(session) -> dict[str, float]:
    """Return the browser's own counters by name."""
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


if __name__ == "__main__":
    sys.exit(main())
