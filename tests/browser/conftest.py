"""Reports of made-up studies, and a browser without a network that opens them."""

import pytest
from shared_reports import made_once, mixed_report, synthetic


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The report of a synthetic study."""
    from glmflow.models.facts import catalogue
    from glmflow.report import ReportInputs, write_report

    results = synthetic("synthetic_study").make_study(tmp_path_factory.mktemp("study"), genes_per_contig=20)
    pages = {"rnaseq_tracks": "tracks.html"}
    inputs = ReportInputs.from_results(results, genes_first=("gene25",), families=catalogue(), pages=pages)
    write_report(inputs, results / "report")
    return results / "report"


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """The report of a study that mixes kinds of task."""
    return made_once(tmp_path_factory, "mixed_study", mixed_report) / "report"


@pytest.fixture
def opening(chromium):
    """Open pages of a report; at the end, no request may have failed or left its folder, and no script."""
    yield from opened(chromium, 1366, 768)


@pytest.fixture
def phone(chromium):
    """The same on the screen of a telephone."""
    yield from opened(chromium, 390, 844)


def opened(chromium, width, height):
    """Yield what opens pages in windows of a size."""
    context = chromium.new_context(viewport={"width": width, "height": height}, offline=True)
    context.set_default_timeout(180_000)  # a busy machine draws slowly
    troubles, folders = [], []

    def watch(page):
        page.on("requestfailed", lambda request: troubles.append(f"request failed: {request.url[:200]}"))
        page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
        page.on(
            "console",
            lambda line: troubles.append(f"console: {line.text}") if line.type in ("error", "warning") else None,
        )
        page.on("request", lambda request: troubles.append(request.url[:200]) if outside(request.url) else None)

    def outside(url):
        return not url.startswith(("data:", "blob:", *(f"file://{folder}/" for folder in folders)))

    context.on("page", watch)

    def open_page(folder, name, ready=True):
        folders.append(folder)
        page = context.new_page()
        page.goto(f"file://{folder}/{name}")
        if ready:
            page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        return page

    yield open_page
    context.close()
    assert troubles == []
