"""Pages that are read by keyboard, screen reader and telephone; links that show what their sender saw; figures as tables."""

import contextlib
import re
import shutil

import pytest
from browsing import CHROMIUM, PAPER, sideways, violations, wide_charts
from glmflow.report.overview_page import write_overview
from glmflow.status import JobStatus, expect_jobs, write_progress
from shared_reports import MIXED

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
PAGES = ["index.html", "models.html", *sorted({*MIXED.values()})]


def open_page(opening, folder, name):
    return opening(folder, name, ready=not name.startswith("models.html"))


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(opening, mixed, name):
    """axe-core (WCAG 2.2 AA and best practice), what igv.js draws by itself left out."""
    page = open_page(opening, mixed, name)
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert violations(page) == [], width


@pytest.mark.parametrize("name", PAGES)
def test_paper_holds_the_width_of_each_page(opening, mixed, name):
    page = open_page(opening, mixed, name)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 700})
    assert sideways(page) == 0
    assert page.locator("nav").is_hidden() and page.locator("main").is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_a_telephone_shows_each_page_without_scrolling_sideways(opening, mixed, name):
    page = open_page(opening, mixed, name)
    page.evaluate(
        "document.querySelectorAll('select').forEach((one) => one.add(new Option('a long choice '.repeat(6))))"
    )
    for width in (390, 768, 1366):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(50)
        assert sideways(page) == 0, width


@pytest.mark.parametrize("name", ["index.html", *sorted({*MIXED.values()} - {"tracks.html"})])
def test_a_telephone_shows_whole_charts(phone, mixed, name):
    """Charts are laid out for the width of the page: none is cut off or scrolls, and their text keeps its size."""
    page = phone(mixed, name)
    assert wide_charts(page) == []
    sizes = page.locator(".chart svg.marks:visible").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().width / one.viewBox.baseVal.width)"
    )
    assert all(size == pytest.approx(1, abs=0.02) for size in sizes)


def test_the_jobs_of_a_study_are_for_everyone(opening, tmp_path):
    expect_jobs(tmp_path, ["finetune/labelled/promoter_cnn/pooled/seed1", "score/labelled/promoter_cnn/pooled/seed1"])
    log = tmp_path / "trained.log"
    with JobStatus(tmp_path, "pretrain/masked", log):
        write_progress(
            {
                "updates": 100, "step": 40, "first_step": 0, "first_time": 0, "time": 60,
                "loss": [[1, 2.0], [40, 1.2]], "validation": [[40, 1.3]],
            }
        )  # fmt: skip
        page = opening(tmp_path, "status.html", ready=False)
    with contextlib.suppress(ValueError), JobStatus(tmp_path, "finetune/labelled/lost", log):
        raise ValueError("no such column: label")
    for width in (390, 1366):
        page.set_viewport_size({"width": width, "height": 844})
        assert sideways(page) == 0 and violations(page) == []
        page.reload()
    assert page.locator("tbody tr").count() == 4 and page.locator("progress, svg, .failed").count() >= 3


def test_the_page_of_jobs_stands_still_where_its_reader_says_so(opening, tmp_path):
    """WCAG 2.2.1: what loads again by itself can be stopped."""
    expect_jobs(tmp_path, ["pretrain/masked"])
    page = opening(tmp_path, "status.html", ready=False)
    page.add_init_script("window.setInterval = (turn) => { window.turn = turn; }")  # a turn comes when it is called
    page.reload()
    page.evaluate("window.before = true")
    page.locator("#again").uncheck()
    page.evaluate("turn()")
    assert page.evaluate("window.before") and page.url.endswith("#still")
    page.locator("#again").check()
    with page.expect_navigation():
        page.evaluate("turn()")
    assert page.evaluate("window.before === undefined") and page.locator("#again").is_checked()


def test_an_old_page_of_jobs_says_so_in_red(opening, tmp_path):
    expect_jobs(tmp_path, ["pretrain/masked"])
    page = opening(tmp_path, "status.html", ready=False)
    line = page.locator("#time")
    assert "minutes ago" not in line.inner_text()
    colour = "(one) => getComputedStyle(one).color"
    now = line.evaluate(colour)
    page.add_init_script("const now = Date.now; Date.now = () => now() + 600_000")
    page.reload()
    assert "10 minutes ago" in line.inner_text()
    assert line.evaluate(colour) != now and violations(page) == []


def test_a_link_shows_what_its_sender_saw(opening, mixed):
    page = open_page(opening, mixed, "index.html")
    assert "=" not in page.url, "what a page starts with needs no address"
    page.select_option("#filters select[name=task]", "promoters")
    page.select_option("#filters select[name=metric]", "brier")
    page.wait_for_function("document.querySelector('#shown').textContent.includes('Brier score')")
    page.locator("nav a[href='#training']").click()
    assert {"task=promoters", "metric=brier", "at=training"} <= {*page.url.partition("#")[2].split("&")}
    other = open_page(opening, mixed, "index.html#" + page.url.partition("#")[2])
    assert other.locator("#shown").inner_text() == page.locator("#shown").inner_text()
    assert other.locator("#filters select[name=metric]").input_value() == "brier"
    assert other.evaluate("scrollY") > 0


def test_the_order_of_the_leaderboard_stands_in_the_address(opening, mixed):
    def names(page):
        return page.locator("#board tbody td:nth-child(2)").all_inner_texts()

    page = open_page(opening, mixed, "index.html")
    by_score = names(page)
    page.locator("#board thead th", has_text="Model").click()
    page.wait_for_function("location.hash.includes('sort=label.')")
    other = open_page(opening, mixed, "index.html#" + page.url.partition("#")[2])
    assert names(other) == names(page) == sorted(names(page)) != by_score


def test_choices_of_charts_stand_in_the_address(opening, mixed):
    page = open_page(opening, mixed, "personal.html")
    select = page.locator("#chart-pairs select").first
    name = select.get_attribute("name")
    values = select.locator("option").evaluate_all("all => all.map((one) => one.value)")
    wanted = next(value for value in values if value != select.input_value())
    select.select_option(wanted)
    page.wait_for_function("name => location.hash.includes(name)", arg=name)
    other = open_page(opening, mixed, "personal.html#" + page.url.partition("#")[2])
    assert other.locator(f"#chart-pairs select[name={name}]").input_value() == wanted


def test_the_browser_keeps_its_runs_and_scale_in_the_address(opening, mixed):
    page = open_page(opening, mixed, "tracks.html")
    page.locator("#own-scale").check()
    page.locator("#runs input").nth(1).click()
    page.wait_for_function("location.hash.includes('scale=own') && location.hash.includes('runs=')")
    other = open_page(opening, mixed, "tracks.html#" + page.url.partition("#")[2])
    assert other.locator("#own-scale").is_checked()
    for place in range(page.locator("#runs input").count()):
        assert (
            other.locator("#runs input").nth(place).is_checked() == page.locator("#runs input").nth(place).is_checked()
        )


def found(page, text):
    """What the search lists for a text that is typed."""
    page.keyboard.press("/")
    page.locator("#find").fill(text)
    page.locator("#found-list a").first.wait_for()
    return page.locator("#found-list a").all_inner_texts()


@pytest.mark.parametrize("start", ["models.html", "context.html"])
def test_a_gene_is_found_from_any_page_by_keyboard(opening, mixed, start):
    page = open_page(opening, mixed, start)
    name = re.search(r'\["(gene\d+) \(', (mixed / "data/search.js").read_text())[1]
    listed = found(page, name)
    assert listed[0].startswith(name) and "gene" in listed[0]
    with page.expect_navigation():
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
    page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    assert "gene=" in page.url or "find=" in page.url


def test_a_region_finds_the_genes_in_it(opening, mixed):
    page = open_page(opening, mixed, "tracks.html")
    place = page.evaluate(
        "(() => { const t = JSON.parse(document.getElementById('data').textContent).genes; const r = tables.rows(t)[0]; return [r.chrom, r.start, r.end, r.gene_name]; })()"
    )
    listed = found(page, f"{place[0]}:{place[1] + 1:,}-{place[2]:,}")
    assert any(text.startswith(place[3]) for text in listed)
    page.locator("#find").fill("no such thing")
    page.wait_for_function("document.getElementById('found-said').textContent === 'nothing found'")
    page.keyboard.press("Escape")
    assert page.locator("#found-list").is_hidden()


def test_what_was_found_is_shown_with_its_scores(opening, mixed):
    page = open_page(opening, mixed, "personal.html#find=G3")
    home = page.locator("#found")
    assert home.locator("h2").inner_text() == "G3" and home.locator("tbody tr").count() > 0
    home.locator("button", has_text="Close").click()
    assert page.locator("#found").count() == 0 and "find" not in page.url


def test_without_the_index_a_page_says_so(opening, mixed, tmp_path):
    (tmp_path / "context.html").write_text((mixed / "context.html").read_text())
    (tmp_path / "data").mkdir()
    (tmp_path / "data/search.js").write_text("")
    page = opening(tmp_path, "context.html")
    page.locator("#find").fill("gene")
    page.wait_for_function("document.getElementById('found-said').textContent.includes('data/search.js')")


def test_every_table_and_chart_is_saved_as_tsv(opening, mixed):
    page = open_page(opening, mixed, "personal.html")
    count = page.locator("main table").count()
    assert count > 3 and page.locator("button.save").count() == count
    with page.expect_download() as saved:
        page.locator("button.save:visible").first.click()
    lines = [line.split("\t") for line in saved.value.path().read_text().splitlines()]
    table = page.locator("main table:visible").first
    assert len(lines) == table.locator("tr").count() and len({len(line) for line in lines}) == 1
    assert lines[1][0] == table.locator("tbody tr").first.locator("td").first.inner_text()
    page.locator("#chart-pairs summary").click()
    with page.expect_download() as saved:
        page.locator("#chart-pairs .vega-actions a", has_text="TSV").first.click()
    head, *rows = saved.value.path().read_text().splitlines()
    assert {"gene_name", "pearson"} <= {*head.split("\t")} and len(rows) == 120


def test_the_start_page_over_studies_is_for_everyone_too(opening, mixed, tmp_path):
    for study in ("one", "two"):
        shutil.copytree(mixed, tmp_path / study / "report")
    write_overview(tmp_path)
    page = opening(tmp_path, "index.html", ready=False)
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert violations(page) == [] and sideways(page) == 0
    box = page.locator(".scroll").first
    assert box.evaluate("one => one.scrollWidth - one.clientWidth") == 0, "a telephone shows a row as a block"
    page.locator("#find").fill("gene1")
    page.locator("#found-list a").first.wait_for()
    found = page.locator("#found-list a").evaluate_all(
        "all => all.map((one) => one.href.split('/report/')[0].split('/').pop())"
    )
    assert set(found) == {"one", "two"}


def test_the_keyboard_skips_to_the_content_and_reaches_what_scrolls(opening, mixed):
    page = open_page(opening, mixed, "sequences.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.locator(".scroll:not([tabindex])").count() == 0
