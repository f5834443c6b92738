"""Heat maps of binding: however many runs or samples there are, they fit the page."""

import pandas as pd
import pytest
from glmflow.report.bound_regions.binding_page import key_chart
from glmflow.report.bound_regions.haplotype_section import haplotype_chart

ROOM = 1366 - 206 - 2 * 40  # of a window, less navigation and margins
NAMES_AND_LEGEND = 200


def keys(runs):
    rows = [{"label": f"run{n}", "pair": "GM12878 CTCF", "kind": "new cell", "lift": n / runs} for n in range(runs)]
    return pd.DataFrame(rows).assign(name="new cell: GM12878 CTCF", auprc=0.5, auroc=0.5, prevalence=0.1)


def haplotypes(samples):
    rows = [{"sample": f"S{n}", "region": "chr1:1-200", "allelic_log_odds": n / samples} for n in range(samples)]
    return pd.DataFrame(rows).assign(predicted="cnn", tf="CTCF", cell="GM12878", split="test")


@pytest.mark.parametrize("number", [30, 60, 500])
@pytest.mark.parametrize(("chart", "table"), [(key_chart, keys), (haplotype_chart, haplotypes)])
def test_many_columns_fit_a_window(chart, table, number):
    arguments = (table(number), [f"run{n}" for n in range(number)])[: 2 if chart is key_chart else 1]
    assert chart(*arguments)["width"] <= ROOM - NAMES_AND_LEGEND


def test_few_columns_keep_the_width_of_a_column():
    wide = [key_chart(keys(number), [f"run{n}" for n in range(number)])["width"] for number in (2, 4)]
    assert wide[1] == 2 * wide[0]
