"""A square with a base a pixel: colours and places by hand, and the page that shows recovery and squares."""

from base64 import b64decode
from io import BytesIO

import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.report import ReportInputs, write_report
from glmflow.report.base_squares import COLOURS, base_square
from glmflow.report.data_uris import data_uri
from glmflow.report.pages.generation import square_rows
from matplotlib.image import imread
from shared_reports import DRAWN, synthetic


def test_pixels_stand_row_by_row_in_the_colours_of_their_bases():
    bases = "ACG" + "TNa" + "GGC"
    uri = data_uri(base_square(bases, 3), "image/png")
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    pixels = (imread(BytesIO(b64decode(body)))[..., :3] * 255).round().astype(int)
    assert pixels.shape == (3, 3, 3)
    wanted = [list(bytes.fromhex(COLOURS[base.upper()])) if base != "N" else [0, 0, 0] for base in bases]
    assert pixels.reshape(9, 3).tolist() == wanted
    with pytest.raises(InputError, match="8 bases make no square of 3"):
        base_square(bases[:8], 3)


def test_rows_are_by_group():
    table = pd.DataFrame({"group": ["m", "m", "real"], "side": 2, "bases": ["ACGT", "AAAA", "CCCC"]})
    rows = square_rows(table)
    assert [(row["group"], row["side"], len(row["uris"])) for row in rows] == [("m", 2, 2), ("real", 2, 1)]
    assert square_rows(pd.DataFrame()) == []


def test_the_page_of_generation_has_recovery_and_squares(tmp_path):
    results = synthetic("synthetic_generation").make_generated_study(tmp_path)
    write_report(ReportInputs.from_results(results, pages=DRAWN), results / "report")
    page = (results / "report/generation.html").read_text()
    assert "Markov-5, the likeliest" in page and "+10.0% [+0.0%, +20.0%]" in page
    assert page.count("data:image/png;base64") == 3  # of each model one, and of real sequence once
