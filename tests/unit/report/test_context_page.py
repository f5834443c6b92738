"""What the page of a context study says about paired tests."""

import pandas as pd
from glmflow.report.contexts.context_findings import conclusion, farthest_sentence
from glmflow.report.contexts.context_tests import paired_rows

RECALL = pd.DataFrame(
    {
        "model": ["yarn", "pi"],
        "subset": "exact",
        "context": [1800, 1800],
        "value": [0.6, 0.2],
        "seeds": [1, 1],
    }
)


def compared(seeds, windows, p=0.001):
    row = {"model": "yarn", "reference": "pi", "metric": "copy_advantage", "subset": "exact", "context_bp": 1800}
    numbers = {"mean": 0.4, "low": 0.3, "high": 0.5, "p": p, "p_holm": p, "seeds": seeds}
    return pd.DataFrame([row | numbers | ({} if windows is None else {"windows": windows})])


def test_the_pairs_of_a_test_are_named():
    for seeds, windows, pairs in ((1, 48, "48 windows of one seed"), (3, 0, "3 seeds"), (3, None, "3 seeds")):
        table = compared(seeds, windows)
        assert f"over {pairs} is clear (paired t-test, p = 0.001)" in farthest_sentence(RECALL, "zero-shot", table)
        assert f"clearly ahead of 1 of 1 others in paired tests over {pairs}." in conclusion(
            RECALL, table, simulated=False
        )
        assert [row["pairs"] for row in paired_rows(RECALL, table)] == [pairs]


def test_without_a_test_nothing_is_called_clear():
    table = compared(1, 0, p=float("nan"))
    assert farthest_sentence(RECALL, "zero-shot", table).endswith("with one seed no test is possible.")
    said = conclusion(RECALL, table, simulated=False)
    assert "clearly ahead of 0 of 1 others in paired tests, for which one seed is too few" in said
