"""Pages of generated sequences and of completed genes, and that of `glmflow validate`, by axe, on a desk and on a telephone."""

import numpy as np
import pytest
from browsing import CHROMIUM, sideways, violations, wide_charts
from glmflow.cli import main
from shared_reports import drawn_report, made_once

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
PAGES = ["generation.html", "gene_completion.html", "validation.html"]


def validated(folder):
    """Write sequences, and the page of their validation; return the folder."""
    generator = np.random.default_rng(1)
    for name, count in (("train", 20), ("source", 20), ("generated", 4)):
        sequences = ["".join(generator.choice(list("ACGT"), 500)) for _ in range(count)]
        (folder / f"{name}.fa").write_text("".join(f">{name}{n}\n{text}\n" for n, text in enumerate(sequences)))
    given = [part for name in ("generated", "source", "train") for part in (f"--{name}", str(folder / f"{name}.fa"))]
    assert main(["validate", *given, "--output", str(folder / "out"), "--draws", "20"]) == 0
    return folder / "out"


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    report = made_once(tmp_path_factory, "drawn_study", drawn_report) / "report"
    alone = made_once(tmp_path_factory, "validated", validated)
    return {name: alone if name == "validation.html" else report for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(opening, folder_of, name):
    page = opening(folder_of[name], name)
    for width in (1366, 768, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(50)
        assert violations(page) == [], width
        assert sideways(page) == 0, width


@pytest.mark.parametrize("name", PAGES)
def test_a_telephone_shows_whole_charts(phone, folder_of, name):
    assert wide_charts(phone(folder_of[name], name)) == []


def test_pictures_are_drawn_and_grey_rows_say_why(opening, folder_of):
    for name in ("generation.html", "validation.html"):
        page = opening(folder_of[name], name)
        # Sequences of 500 bases are too short to be followed along their length.
        for chart in ("games", "walks", "copies", *(["along"] if name == "generation.html" else [])):
            assert page.locator(f"#chart-{chart} :is(svg, canvas)").count() >= 1, (name, chart)
        assert page.locator("tr[style*='667080'] th").count() > 5  # statistics that a Markov-5 chain passes as real
        assert page.locator("tr.leak").count() >= (name == "generation.html")  # the copy that was planted
    assert "75% [50%, 100%]" in opening(folder_of["generation.html"], "generation.html").locator("#tags").inner_text()
    assert (
        "+10.0% [+0.0%" in opening(folder_of["generation.html"], "generation.html").locator("#recovered").inner_text()
    )
    assert opening(folder_of["generation.html"], "generation.html").locator("#squares img").count() == 3
    assert "cold" in opening(folder_of["generation.html"], "generation.html").locator("#gate").inner_text()
