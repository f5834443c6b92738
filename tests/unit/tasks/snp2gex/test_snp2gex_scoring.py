"""Scores of a run against plain numpy and scipy, gene by gene and sample by sample."""

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.tasks.snp2gex.gene_scores import benjamini_hochberg, correlation_p, gene_scores
from glmflow.tasks.snp2gex.gene_units import People
from glmflow.tasks.snp2gex.heritability import haseman_elston
from glmflow.tasks.snp2gex.label_classes import SEEN_UNSEEN, UNSEEN_UNSEEN
from glmflow.tasks.snp2gex.scoring import score_classes
from glmflow.tasks.snp2gex.submission import partitions_of
from scipy import stats
from sklearn.metrics import r2_score

SETTINGS = {
    "study": "s",
    "task_label": "gex",
    "model_label": "m",
    "adaptation_label": "a",
    "seed": 1,
    "task": {"windows": {"size": 1000}, "bootstrap": 200, "permutations": 50},
}


def run(people=30, genes=12, noise=1.0, seed=0):
    """Examples of two classes, and predictions that share a part with the targets."""
    rng = np.random.default_rng(seed)
    rows = []
    for gene in range(genes):
        level = rng.normal(0, 3)
        for person in range(people):
            subset = SEEN_UNSEEN if gene < genes // 2 else UNSEEN_UNSEEN
            y = level + rng.normal()
            rows.append((f"G{gene}|P{person}", "test", subset, f"P{person}", f"G{gene}", y, y + rng.normal(0, noise)))
    columns = ["example", "split", "subset", "sample", "group", "target", "prediction"]
    table = pd.DataFrame(rows, columns=columns)
    return table.drop(columns="prediction"), table[["example", "prediction"]]


def scored(examples, predictions, genes=None, populations=None):
    facts = pd.DataFrame({"gene_id": examples["group"].unique()}) if genes is None else genes
    return score_classes(SETTINGS, examples, predictions, facts, People(populations or {}))[:2]


def value(metrics, metric, subset, protocol="strict"):
    (row,) = metrics[
        (metrics["metric"] == metric) & (metrics["subset"] == subset) & (metrics["protocol"] == protocol)
    ].itertuples()
    return row.value


def wide(examples, predictions, subset):
    rows = examples.merge(predictions, on="example").query("subset == @subset")
    return (rows.pivot(index="sample", columns="group", values=name).to_numpy() for name in ("target", "prediction"))


@pytest.mark.parametrize("subset", [SEEN_UNSEEN, UNSEEN_UNSEEN])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_score_of_a_class_agrees_with_numpy(subset, seed):
    examples, predictions = run(seed=seed)
    metrics, _ = scored(examples, predictions)
    x, y = wide(examples, predictions, subset)
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T)])
    rho = [stats.spearmanr(a, b)[0] for a, b in zip(x.T, y.T)]
    p = [stats.pearsonr(a, b)[1] for a, b in zip(x.T, y.T)]
    q = stats.false_discovery_control(p)
    dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)
    expected = {
        "cross_individual_pearson": r.mean(),
        "cross_individual_pearson_varying": r.mean(),
        "cross_individual_pearson_median": np.median(r),
        "cross_individual_pearson_sd": r.std(),
        "cross_individual_spearman": np.mean(rho),
        "cross_individual_positive_ratio": (r > 0).mean(),
        "cross_individual_right_ratio": ((q < 0.05) & (r > 0)).mean(),
        "cross_individual_wrong_ratio": ((q < 0.05) & (r < 0)).mean(),
        "cross_individual_constant_count": 0,
        "cross_gene_pearson": np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(x, y)]),
        "cross_gene_spearman": np.mean([stats.spearmanr(a, b)[0] for a, b in zip(x, y)]),
        "gene_mean_pearson": np.corrcoef(x.mean(axis=0), y.mean(axis=0))[0, 1],
        "mae": np.abs(x - y).mean(),
        "r2": r2_score(x.ravel(), y.ravel()),
        "demeaned_mae": np.abs(dx - dy).mean(),
        "demeaned_r2": r2_score(dx.ravel(), dy.ravel()),
        "demeaned_r2_median": np.median([r2_score(a, b) for a, b in zip(dx.T, dy.T)]),
    }
    for metric, number in expected.items():
        assert value(metrics, metric, subset) == pytest.approx(number, abs=1e-9), metric


def test_the_cross_gene_spearman_leaves_out_pairs_without_a_row_and_sees_ranks_alone():
    examples, predictions = run()
    gone = examples["example"].isin(["G0|P0", "G2|P0", "G1|P5"])
    examples, left = examples[~gone], predictions[~gone.to_numpy()]
    metrics, _ = scored(examples, left.assign(prediction=np.exp(left["prediction"])))
    rows = examples.merge(left, on="example").query("subset == @SEEN_UNSEEN")
    by_person = [stats.spearmanr(own["target"], own["prediction"])[0] for _, own in rows.groupby("sample")]
    assert value(metrics, "cross_gene_spearman", SEEN_UNSEEN) == pytest.approx(np.mean(by_person))
    (row,) = metrics.query("metric == 'cross_gene_spearman' and subset == @SEEN_UNSEEN").to_dict("records")
    assert row["ci_low"] < row["value"] < row["ci_high"] and row["n"] == 6


def test_the_gene_table_has_r_p_and_q():
    examples, predictions = run()
    _, genes = scored(examples, predictions)
    for subset in (SEEN_UNSEEN, UNSEEN_UNSEEN):
        x, y = wide(examples, predictions, subset)
        table = genes[genes["subset"] == subset]
        found = [stats.pearsonr(a, b) for a, b in zip(x.T, y.T)]
        np.testing.assert_allclose(table["pearson"], [each[0] for each in found], atol=1e-9)
        np.testing.assert_allclose(table["p"], [each[1] for each in found], rtol=1e-9)
        np.testing.assert_allclose(table["q"], benjamini_hochberg([each[1] for each in found]), rtol=1e-9)
        assert (table["n"] == 30).all()


def test_benjamini_hochberg_of_a_worked_example():
    # p * m / rank, made monotone from the largest down.
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_benjamini_hochberg_is_its_definition():
    p = np.random.default_rng(1).random(30) ** 3
    rank = np.argsort(np.argsort(p)) + 1
    expected = [min(1, *(len(p) * p[other] / rank[other] for other in range(len(p)) if p[other] >= own)) for own in p]
    assert benjamini_hochberg(p) == pytest.approx(expected)
    assert benjamini_hochberg([]).size == 0


def test_p_of_a_perfect_correlation_is_0_and_of_two_people_1():
    assert correlation_p([1.0, 0.3], [10, 2]).tolist() == [0.0, 1.0]


def test_reference_for_everyone_scores_exactly_0():
    examples, predictions = run()
    gene = predictions["example"].str.split("|").str[0]
    constant = predictions.assign(prediction=gene.map({name: i * 0.1 for i, name in enumerate(gene.unique())}))
    metrics, genes = scored(examples, constant)
    assert (metrics.loc[metrics["metric"].str.startswith("cross_individual_pearson"), "value"].dropna() == 0).all()
    assert genes["constant"].all() and (genes["p"] == 1).all()
    assert value(metrics, "cross_individual_constant_count", SEEN_UNSEEN) == 6
    assert np.isnan(value(metrics, "cross_individual_pearson", SEEN_UNSEEN, "official"))


def test_gene_means_alone_score_high_across_genes_and_0_between_people():
    """Pooled pairs would score the square root of the between-gene share of the variance."""
    examples, predictions = run(genes=40)
    means = examples.groupby("group")["target"].transform("mean")
    metrics, _ = scored(examples, predictions.assign(prediction=means.to_numpy()))
    assert value(metrics, "cross_individual_pearson", SEEN_UNSEEN) == 0
    assert value(metrics, "cross_gene_pearson", SEEN_UNSEEN) > 0.8
    assert value(metrics, "demeaned_r2", SEEN_UNSEEN) == pytest.approx(0, abs=1e-12)


def test_constant_genes_count_0_and_are_left_out_of_the_varying():
    examples, predictions = run()
    constant = predictions["example"].str.startswith("G0|")
    predictions = predictions.assign(prediction=np.where(constant, 5.0, predictions["prediction"]))
    metrics, _ = scored(examples, predictions)
    x, y = wide(examples, predictions, SEEN_UNSEEN)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(x.T[1:], y.T[1:])]
    assert value(metrics, "cross_individual_pearson", SEEN_UNSEEN) == pytest.approx(np.sum(r) / 6, abs=1e-9)
    assert value(metrics, "cross_individual_pearson_varying", SEEN_UNSEEN) == pytest.approx(np.mean(r), abs=1e-9)


def test_permutations_stay_within_populations():
    """With samples alone in their populations nothing can be permuted: the null is the score itself."""
    examples, predictions = run()
    alone, _ = scored(examples, predictions, populations={f"P{n}": str(n) for n in range(30)})
    score_itself = value(alone, "cross_individual_pearson", SEEN_UNSEEN)
    assert value(alone, "cross_individual_permuted", SEEN_UNSEEN) == pytest.approx(score_itself, abs=1e-12)
    assert value(alone, "cross_individual_permutation_p", SEEN_UNSEEN) == 1
    together, _ = scored(examples, predictions)
    assert abs(value(together, "cross_individual_permuted", SEEN_UNSEEN)) < 0.1
    assert value(together, "cross_individual_permutation_p", SEEN_UNSEEN) == pytest.approx(1 / 51)


def test_the_share_of_the_ceiling():
    examples, predictions = run()
    ids = examples["group"].unique()
    facts = pd.DataFrame({"gene_id": ids, "heritability": 0.25, "ceiling": 0.8})
    metrics, _ = scored(examples, predictions, facts)
    r = value(metrics, "cross_individual_pearson", SEEN_UNSEEN)
    assert value(metrics, "cross_individual_of_sqrt_h2", SEEN_UNSEEN) == pytest.approx(r / 0.5)
    assert value(metrics, "cross_individual_of_ceiling", SEEN_UNSEEN) == pytest.approx(r / 0.8)


def test_intervals_resample_genes_and_hold_the_value():
    metrics, _ = scored(*run())
    known = metrics.dropna(subset=["ci_low", "value"])
    known = known[known["metric"] != "cross_individual_permuted"]
    assert len(known) > 15
    assert ((known["ci_low"] <= known["value"]) & (known["value"] <= known["ci_high"])).all()


def test_what_is_held_out_must_be_predicted_once():
    examples, predictions = run()
    with pytest.raises(InputError, match=r"1 held-out examples have no finite prediction, such as G0\|P3"):
        scored(examples, predictions.drop(index=3))
    with pytest.raises(InputError, match="predicted twice"):
        scored(examples, pd.concat([predictions, predictions.head(1)]))
    predictions.loc[3, "prediction"] = np.nan
    with pytest.raises(InputError, match="no finite prediction"):
        scored(examples, predictions)


def test_people_may_lack_genes():
    rows = pd.DataFrame(
        {
            "sample": list("abcdbcde"),
            "group": ["g"] * 4 + ["h"] * 4,
            "target": [1.0, 2, 3, 5, 4, 2, 1, 0],
            "prediction": [1.0, 1, 2, 2, 1, 1, 2, 3],
        }
    )
    table = gene_scores(rows)
    assert table["n"].tolist() == [4, 4]
    for r, part in zip(table["pearson"], ("g", "h")):
        own = rows[rows["group"] == part]
        assert r == pytest.approx(np.corrcoef(own["target"], own["prediction"])[0, 1], abs=1e-12)


def test_heritability_is_right_on_average():
    rng = np.random.default_rng(0)
    x = rng.binomial(2, 0.3, (300, 40))
    effects = rng.normal(size=(40, 200))
    genetic = stats.zscore(stats.zscore(x) @ effects)
    for h2 in (0.0, 0.3, 0.7):
        y = np.sqrt(h2) * genetic + np.sqrt(1 - h2) * rng.normal(size=genetic.shape)
        estimates = [haseman_elston(x, column) for column in y.T]
        assert np.mean(estimates) == pytest.approx(h2, abs=4 * np.std(estimates) / np.sqrt(200))
    assert np.isnan(haseman_elston(np.ones((5, 2)), np.arange(5.0)))
    assert np.isnan(haseman_elston(x[:5], np.ones(5)))


def test_examples_as_partitions():
    table = pd.DataFrame(
        {
            "sample": ["s1", "s2", "s1", "s1"],
            "group": ["g1", "g1", "g2", "g3"],
            "split": ["train", "test", "test", "validation"],
            "subset": [
                "seen genes seen individuals",
                "seen genes unseen individuals",
                "unseen genes seen individuals",
                "seen genes seen individuals",
            ],
            "target": [0.5, -1.0, 2.0, 0.0],
        }
    )
    made = partitions_of(table)
    assert made["gene"].tolist() == ["g1", "g1", "g2", "g3"]
    assert made["split"].tolist() == ["train", "test", "test", "train"]
    assert made["labels"].tolist()[2] == "unseen genes"
    assert made["log_TPM"].tolist() == [0.5, -1.0, 2.0, 0.0]
