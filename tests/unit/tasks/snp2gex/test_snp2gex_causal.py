import numpy as np
import pandas as pd
import pytest
from glmflow.tasks.snp2gex.causal import average_precision, causal_metrics, compare_effects, rank_causal, true_effects
from glmflow.tasks.tables import METRIC_COLUMNS

TRUTH = pd.DataFrame(
    {"gene_id": ["a", "a", "b"], "chrom": "c", "pos": [11, 21, 11], "ref": "A", "alt": "C"}
    | {"kind": ["break", "natural", "create"], "effect_liver": [-0.5, 0.4, 0.3], "effect_brain": [0.0, 9.0, 0.0]}
)


def run_table(**effects):
    rows = [
        {"gene": gene, "variant": f"c:{pos}:A:C", "maf": maf, "dosage_sd": sd, "effect": effect}
        for gene, variants in effects.items()
        for pos, maf, sd, effect in variants
    ]
    return pd.DataFrame(rows)


def test_average_precision_is_precision_summed_over_steps_of_recall_with_ties_too():
    rng = np.random.default_rng(0)
    for _ in range(20):
        positive, score = rng.random(12) < 0.4, rng.integers(0, 5, 12).astype(float)
        if positive.any():
            total, found = 0.0, 0
            for threshold in sorted(set(score), reverse=True):  # equal scores are one step: no threshold parts them
                chosen = score >= threshold
                now = int((chosen & positive).sum())
                total, found = total + (now - found) / positive.sum() * now / chosen.sum(), now
            assert average_precision(positive, score) == pytest.approx(total)
    assert np.isnan(average_precision(np.zeros(3, bool), np.ones(3)))


def test_contributions_rank_variants_not_effects():
    """In gene a the second variant acts less per copy, but is so common that it contributes most."""
    table = run_table(a=[(11, 0.05, 0.2, -1.0), (21, 0.4, 0.9, 0.1), (31, 0.2, 0.5, 0.05), (41, 0.01, 0.9, 9.0)])
    (row,) = rank_causal(table, true_effects(TRUTH)).to_dict("records")
    assert row["causal"] == "c:21:A:C" and row["candidates"] == 3
    assert row["rank"] == 2 and row["sign_right"]  # 1.0 x 0.2 is more than 0.1 x 0.9
    assert row["average_precision"] == 1 and row["chance_precision"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_a_model_that_says_nothing_ranks_in_the_middle():
    table = run_table(b=[(11, 0.3, 0.5, 0.0), (21, 0.3, 0.5, 0.0), (31, 0.3, 0.5, 0.0)])
    (row,) = rank_causal(table, true_effects(TRUTH)).to_dict("records")
    assert row["rank"] == 2 and not row["sign_right"]


def test_agreement_of_two_models():
    mine = run_table(a=[(1, 0.3, 1, 1.0), (2, 0.3, 1, 2.0), (3, 0.3, 1, 3.0)], b=[(1, 0.3, 1, 1.0), (2, 0.3, 1, 0.0)])
    same = compare_effects(mine, mine.assign(effect=-mine["effect"]))
    assert same["spearman"].tolist() == [1, 1] and same["same_top"].tolist() == [1, 1]
    assert same["chance_top"].tolist() == [pytest.approx(1 / 3), 0.5]
    nothing = compare_effects(mine, mine.assign(effect=0.0))
    assert nothing.empty


def test_metrics_tell_seen_from_unseen_genes():
    table = run_table(a=[(11, 0.3, 0.5, -1.0), (21, 0.3, 0.1, 0.1)], b=[(11, 0.3, 0.5, 0.1), (31, 0.3, 0.5, -0.4)])
    labels = dict.fromkeys(("study", "task_label", "model_label", "adaptation_label"), "x")
    settings = labels | {"seed": 1, "task": {"windows": {"size": 50}}}
    metrics, ranked = causal_metrics(settings, table, {"a"}, TRUTH, table)
    assert list(metrics) == list(METRIC_COLUMNS)
    value = metrics.set_index(["subset", "metric"])["value"]
    assert value["seen genes", "causal_first_ratio"] == 1 and value["unseen genes", "causal_first_ratio"] == 0
    assert value["unseen genes", "causal_first_chance_ratio"] == 0.5
    assert value["seen genes", "elastic_net_top_ratio"] == 1
    empty, ranked = causal_metrics(settings, table, {"a"}, None, None)
    assert empty.empty and list(empty) == list(METRIC_COLUMNS) and ranked.empty
