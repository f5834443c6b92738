"""The hackathon's scorer with its faults, and the strict one without them, against plain numpy."""

import numpy as np
import pandas as pd
import pytest
from glmflow.cli import main
from glmflow.errors import InputError
from glmflow.tasks.snp2gex.label_classes import SCORED, scorer_spelling
from glmflow.tasks.snp2gex.official import official_scores
from glmflow.tasks.snp2gex.strict import strict_scores

DESCRIBED = ("seen gene seen individuals", "seen gene unseen individuals", "unseen gene unseen individuals")


def toy(labels=SCORED, target="log_TPM", seed=0):
    """12 samples x 8 genes: two unseen genes, four unseen samples; predictions are the truth with noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(12):
        for gene in range(8):
            label = labels[2] if gene >= 6 else labels[1] if person >= 8 else labels[0]
            rows.append((f"P{person:02d}", f"ENSG{gene}", label, 2.0 * gene + rng.normal()))
    partitions = pd.DataFrame(rows, columns=["sample", "gene", "labels", target])
    partitions["promoter valid row"] = 1
    submission = partitions[["sample", "gene", target]].copy()
    submission[target] += rng.normal(0, 0.5, len(submission))
    return partitions, submission.sample(frac=1, random_state=1)


def matrices(partitions, submission, label, target="log_TPM"):
    """Samples x genes of truth and prediction of a class, by a loop."""
    rows = partitions[partitions["labels"] == label]
    predicted = {(r["sample"], r["gene"]): r[target] for r in submission.to_dict("records")}
    people, genes = sorted(set(rows["sample"])), sorted(set(rows["gene"]))
    x, y = np.empty((len(people), len(genes))), np.empty((len(people), len(genes)))
    for row in rows.to_dict("records"):
        place = people.index(row["sample"]), genes.index(row["gene"])
        x[place], y[place] = row[target], predicted[row["sample"], row["gene"]]
    return x, y


def oracle(x, y):
    """Mean correlation along genes and along samples, constant vectors counting 0, and the mean absolute error."""

    def r(a, b):
        if a.max() == a.min() or b.max() == b.min():
            return 0.0
        a, b = a - a.mean(), b - b.mean()
        return (a @ b) / np.sqrt((a @ a) * (b @ b))

    return (
        np.mean([r(a, b) for a, b in zip(x, y)]),
        np.mean([r(a, b) for a, b in zip(x.T, y.T)]),
        np.abs(x - y).mean(),
    )


def numbers(score):
    return score.cross_gene, score.cross_individual, score.mae


@pytest.mark.parametrize("seed", range(5))
def test_both_protocols_agree_with_numpy_where_nothing_is_at_fault(seed):
    partitions, submission = toy(seed=seed)
    strict = strict_scores(partitions, submission, "log_TPM")
    assert [score.label for score in strict.classes] == list(SCORED)
    for fair, official in zip(strict.classes, official_scores(partitions, submission, "log_TPM")):
        expected = oracle(*matrices(partitions, submission, fair.label))
        assert numbers(fair) == pytest.approx(expected, abs=1e-9)
        assert numbers(official) == tuple(np.round(expected, 5))


def test_a_constant_gene_voids_its_class_officially_and_counts_0_strictly():
    partitions, submission = toy()
    submission.loc[submission["gene"] == "ENSG2", "log_TPM"] = 0.1
    official = official_scores(partitions, submission, "log_TPM")
    assert np.isnan(official[0].cross_individual) and np.isnan(official[1].cross_individual)
    assert np.isfinite([official[2].cross_individual, *(score.cross_gene for score in official)]).all()
    strict = strict_scores(partitions, submission, "log_TPM")
    for score in strict.classes:
        assert numbers(score) == pytest.approx(oracle(*matrices(partitions, submission, score.label)), abs=1e-9)
    assert strict.constant == {SCORED[0]: ["ENSG2"], SCORED[1]: ["ENSG2"], SCORED[2]: []}


def test_a_missing_pair_voids_both_correlations_officially_and_is_an_error_strictly():
    partitions, submission = toy()
    gone = (submission["sample"] == "P03") & (submission["gene"] == "ENSG4")
    official = official_scores(partitions, submission[~gone], "log_TPM")
    assert np.isnan(official[0].cross_gene) and np.isnan(official[0].cross_individual)
    x, y = matrices(partitions, submission, SCORED[0])
    error = np.abs(x - y)
    assert official[0].mae == round((error.sum() - error[3, 4]) / (error.size - 1), 5)
    assert numbers(official[1]) == tuple(np.round(oracle(*matrices(partitions, submission, SCORED[1])), 5))
    with pytest.raises(InputError, match=r"1 of 96 rows are not predicted.*P03 ENSG4"):
        strict_scores(partitions, submission[~gone], "log_TPM")


def test_leaving_out_what_is_hard_pays_officially_and_is_an_error_strictly():
    partitions, submission = toy()
    x, y = matrices(partitions, submission, SCORED[0])
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T)])
    best = np.argsort(r)[-2:]
    picked = submission[submission["gene"].isin([f"ENSG{gene}" for gene in best])]
    official = official_scores(partitions, picked, "log_TPM")[0]
    assert official.cross_individual == round(r[best].mean(), 5) > round(r.mean(), 5)
    with pytest.raises(InputError, match="rows are not predicted"):
        strict_scores(partitions, picked, "log_TPM")


def test_the_described_spelling_is_not_found_officially_and_read_strictly():
    partitions, submission = toy(DESCRIBED)
    assert np.isnan([numbers(score) for score in official_scores(partitions, submission, "log_TPM")]).all()
    ours = strict_scores(partitions, submission, "log_TPM").classes
    assert ours == strict_scores(*toy(SCORED), "log_TPM").classes
    assert [scorer_spelling(label) for label in (*DESCRIBED, *SCORED)] == [*SCORED, *SCORED]


def test_a_row_with_any_empty_cell_is_dropped_officially_in_1a_but_not_in_1b():
    for target, dropped in (("log_TPM", True), ("promoter activity", False)):
        partitions, submission = toy(target=target)
        submission["comment"] = "fine"
        submission.loc[submission.index[0], "comment"] = None
        scores = official_scores(partitions, submission, target)
        assert np.isnan([score.cross_gene for score in scores]).any() == dropped


def test_1b_scores_valid_rows_and_requires_genes_that_are_not_uploaded():
    target = "promoter activity"
    partitions, submission = toy(target=target)
    partitions.loc[partitions["gene"] == "ENSG1", "promoter valid row"] = 0
    valid = partitions[partitions["promoter valid row"] == 1]
    for score in (
        *official_scores(partitions, submission, target),
        *strict_scores(partitions, submission, target).classes,
    ):
        x, y = matrices(valid, submission, score.label, target)
        assert numbers(score) == pytest.approx(oracle(x, y), abs=5.1e-6)
    fewer = submission[submission["gene"] != "ENSG2"]
    official = official_scores(partitions, fewer, target)
    assert np.isnan(numbers(official[0])).all() and np.isfinite(numbers(official[2])).all()


def test_pairs_that_come_twice_are_refused():
    partitions, submission = toy()
    twice = pd.concat([submission, submission.head(2)])
    for scorer in (official_scores, strict_scores):
        with pytest.raises(InputError, match=r"2 pairs|1 pairs"):
            scorer(partitions, twice, "log_TPM")


def test_rows_without_truth_and_the_reference_are_left_out_strictly_and_said():
    partitions, submission = toy()
    partitions.loc[partitions["gene"] == "ENSG0", "log_TPM"] = np.nan
    reference = partitions.head(8).assign(sample="ref")
    scores = strict_scores(pd.concat([partitions, reference]), submission, "log_TPM")
    left = partitions[partitions["gene"] != "ENSG0"]
    for score in scores.classes:
        assert numbers(score) == pytest.approx(oracle(*matrices(left, submission, score.label)), abs=1e-9)
    assert "12 rows without a measured value are not scored" in scores.notes


def test_the_command_writes_a_metrics_table(tmp_path, capsys):
    partitions, submission = toy(DESCRIBED)
    submission.loc[submission["gene"] == "ENSG7", "log_TPM"] = 3.0
    partitions.to_csv(tmp_path / "partitions.csv", index=False)
    submission.to_csv(tmp_path / "mine.csv", index=False)
    arguments = [
        "score",
        "snp2gex",
        "--partitions",
        tmp_path / "partitions.csv",
        "--predictions",
        tmp_path / "mine.csv",
    ]
    for protocol in ("strict", "official"):
        output = tmp_path / f"{protocol}.tsv"
        assert main([*map(str, arguments), "--protocol", protocol, "--output", str(output)]) == 0
        table = pd.read_csv(output, sep="\t")
        assert set(table["metric"]) == {"cross_gene_pearson", "cross_individual_pearson", "mae"}
        assert list(dict.fromkeys(table["subset"])) == list(SCORED)
        assert set(table["protocol"]) == {protocol} and len(table) == 9
        assert table["value"].isna().all() == (protocol == "official")
    said = capsys.readouterr().out
    assert "unseen genes: 1 constant genes count as 0: ENSG7" in said
    assert "96 of 96 rows predicted" in said


def test_the_command_names_a_missing_column(tmp_path, capsys):
    partitions, submission = toy()
    partitions.drop(columns="labels").to_csv(tmp_path / "p.csv", index=False)
    submission.to_csv(tmp_path / "s.csv", index=False)
    paths = ["--partitions", tmp_path / "p.csv", "--predictions", tmp_path / "s.csv", "--output", tmp_path / "m.tsv"]
    assert main(["score", "snp2gex", *map(str, paths)]) == 1
    assert "p.csv: no column 'labels'" in capsys.readouterr().err
