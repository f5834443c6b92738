"""Scores of binding: the hackathon's own scorer and an independent strict one as oracles (expected/scorer.json)."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.binding_matrix import BindingMatrix, read_matrix, write_matrix
from glmflow.binding.concordance import cell_concordance, pair_counts, tf_concordance
from glmflow.binding.key_scores import (
    best_threshold,
    calibration_slope,
    column_average_precision,
    column_scores,
    f1,
    log_loss,
    matched_auroc,
    ranked_scores,
)
from glmflow.errors import InputError
from glmflow.tasks.seq2cellxtf.official_binding import official_scores
from glmflow.tasks.seq2cellxtf.strict_binding import strict_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score


@pytest.fixture(scope="module")
def cases(test_data):
    return json.loads((test_data / "seq2cellxtf/expected/scorer.json").read_text())["cases"]


def matrix(part):
    values = np.array([[np.nan if value is None else value for value in row] for row in part["data"]], float)
    return BindingMatrix(part["index"], part["columns"], values)


def number(value):
    return pytest.approx(np.nan if value is None else value, abs=1e-9, nan_ok=True)


def test_official_scores_are_those_of_the_hackathons_scorer(cases):
    assert len(cases) == 15
    for case in cases:
        truth, upload, expected = matrix(case["truth"]), matrix(case["prediction"]), case["official"]
        if "error" in expected:
            with pytest.raises(InputError):
                official_scores(truth, upload)
        else:
            assert official_scores(truth, upload) == {name: number(value) for name, value in expected.items()}, case[
                "name"
            ]


def by_pandas(truth, upload, folder):
    """The original's reading of two files, and the first of its scores, by scikit-learn."""
    for matrix, name in ((truth, "truth"), (upload, "upload")):
        rows = [",".join(["", *matrix.regions])] + [
            f"{key}," + ",".join(map(str, own)) for key, own in zip(matrix.keys, matrix.values)
        ]
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    labels, scores = (pd.read_csv(folder / f"{name}.csv", index_col=0) for name in ("truth", "upload"))
    rows, columns = labels.index.intersection(scores.index), labels.columns.intersection(scores.columns)
    labels, scores = labels.loc[rows, columns], scores.loc[rows, columns]
    return np.mean([roc_auc_score(bound, own) for bound, own in zip(labels.to_numpy(), scores.to_numpy())])


def test_regions_and_unasked_keys_that_come_twice_are_read_as_by_the_original(tmp_path):
    rng = np.random.default_rng(1)
    keys, regions = ["A_X", "B_X"], [str(number) for number in range(12)]
    truth = BindingMatrix(keys, regions, np.array([[1, 0, 0] * 4, [0, 1, 0] * 4]))
    upload = BindingMatrix([*keys, "C_X", "C_X"], [*regions, "3", "5"], rng.random((4, 14)).round(6))
    expected = by_pandas(truth, upload, tmp_path)
    assert official_scores(truth, upload)["aurocs_cross_region"] == pytest.approx(expected, abs=6e-6)
    with pytest.raises(InputError, match="region 3, 5 more than once"):
        strict_scores(truth, upload._replace(keys=[*keys, "C_X", "D_X"]))


def test_labels_that_are_neither_0_nor_1_are_refused():
    one = BindingMatrix(["A_X", "B_X"], ["0", "1"], np.array([[0, 2.0], [1, 0]]))
    with pytest.raises(InputError, match="neither 0 nor 1"):
        strict_scores(one, one)


def test_predictions_that_differ_in_the_tenth_digit_are_no_ties():
    labels = np.array([[True, False], [False, True]])
    scores = 1 - 1e-10 * np.array([[1.0, 2], [2, 1]])
    found = strict_scores(*(BindingMatrix(["A_X", "B_X"], ["0", "1"], one) for one in (labels, scores)))
    assert found.cells.value == found.columns.auroc == found.columns.auprc == found.mean["auroc"] == 1


def test_strict_scores_are_those_of_scikit_learn_and_pair_counts(cases):
    for case in cases:
        truth, upload, expected = matrix(case["truth"]), matrix(case["prediction"]), case["strict"]
        if "error" in expected:
            with pytest.raises(InputError) as raised:
                strict_scores(truth, upload)
            for name in (expected.get("keys") or []) + (expected.get("regions") or [])[:5]:
                assert name in str(raised.value)
            continue
        found = strict_scores(truth, upload)
        assert found.excluded == expected["excluded"]
        for key, row in expected["rows"].items():
            assert {name: found.rows.get(key, {}).get(name, np.nan) for name in row} == {
                name: number(value) for name, value in row.items()
            } or key in expected["excluded"], (case["name"], key)
        assert {name: found.mean[name] for name in expected["mean"]} == {
            name: number(value) for name, value in expected["mean"].items()
        }
        assert found.columns.n == expected["columns"]["n"]
        assert found.columns.auroc == number(expected["columns"]["auroc"])
        assert found.columns.auprc == number(expected["columns"]["auprc"])
        for own, other in ((found.cells, "concordance_cell"), (found.tfs, "concordance_tf")):
            assert own.value == number(expected[other]["value"]) and own.n == expected[other]["n"]


def test_partial_uploads_are_scored_as_ties_at_the_lowest():
    truth = BindingMatrix(["a_X", "b_X"], ["1", "2", "3"], np.array([[1, 0, 0], [0, 1, 0]]))
    upload = BindingMatrix(["a_X"], ["1", "2"], np.array([[0.9, 0.1]]))
    found = strict_scores(truth, upload, partial=True)
    assert found.covered == pytest.approx(2 / 6)
    assert found.rows["a_X"]["auroc"] == 1.0 and found.rows["b_X"]["auroc"] == 0.5


def test_a_matrix_comes_back_from_its_file(tmp_path):
    one = BindingMatrix(["neural cell_REST", "K562_REST"], ["0", "10"], np.array([[0.25, 1], [0, 0.5]]))
    write_matrix(one, tmp_path / "upload.csv")
    again = read_matrix(tmp_path / "upload.csv")
    assert again.keys == one.keys and again.regions == one.regions and (again.values == one.values).all()


def draws(seed=0, size=400):
    rng = np.random.default_rng(seed)
    return rng.random(size) < 0.2, np.round(rng.random(size), 2)


def test_rows_are_scikit_learns():
    bound, scores = draws()
    found = ranked_scores(bound, scores)
    assert found["auroc"] == pytest.approx(roc_auc_score(bound, scores))
    assert found["auprc"] == pytest.approx(average_precision_score(bound, scores))
    precision, recall, _ = precision_recall_curve(bound, scores + 3 * bound)
    better = ranked_scores(bound, scores + 3 * bound)
    assert better["recall_fdr10"] == recall[precision >= 0.9].max() == 1
    assert found["lift"] == pytest.approx((found["auprc"] - bound.mean()) / (1 - bound.mean()))


def test_the_matched_auroc_counts_pairs_of_one_stratum():
    rng = np.random.default_rng(4)
    labels, stratum = rng.random(60) < 0.4, rng.integers(3, 8, 60)
    scores = rng.integers(0, 5, 60).astype(float)
    scores[:5] = -np.inf
    won = [
        float(scores[one] > scores[other]) + 0.5 * float(scores[one] == scores[other])
        for one, other in itertools.permutations(range(60), 2)
        if labels[one] and not labels[other] and stratum[one] == stratum[other]
    ]
    assert matched_auroc(labels, scores, stratum) == pytest.approx(np.mean(won))
    assert matched_auroc(labels, scores, np.zeros(60)) == pytest.approx(roc_auc_score(labels, np.maximum(scores, -1)))
    assert np.isnan(matched_auroc(labels, scores, labels))


def test_a_constant_has_a_lift_of_zero():
    bound, _ = draws()
    assert ranked_scores(bound, np.zeros(len(bound)))["lift"] == pytest.approx(0)
    assert ranked_scores(bound, np.zeros(len(bound)))["auroc"] == 0.5


def test_the_calibration_slope_is_that_of_a_logistic_regression():
    rng = np.random.default_rng(1)
    logit = rng.normal(size=3000)
    bound = rng.random(3000) < 1 / (1 + np.exp(-logit))
    too_extreme = 1 / (1 + np.exp(-2 * logit))
    oracle = LogisticRegression(C=np.inf, tol=1e-8).fit(2 * logit[:, None], bound).coef_[0, 0]
    assert calibration_slope(bound, too_extreme) == pytest.approx(oracle, rel=1e-3)
    assert log_loss(bound, 1 / (1 + np.exp(-logit))) < log_loss(bound, too_extreme)


def test_the_best_threshold_is_that_of_all_thresholds():
    bound, scores = draws(3)
    best = max(f1(bound, scores, threshold) for threshold in np.arange(-0.005, 1, 0.01))
    assert f1(bound, scores, best_threshold(bound, scores)) == pytest.approx(best)


def test_precision_of_columns_is_scikit_learns():
    rng = np.random.default_rng(5)
    bound, scores = rng.random((9, 40)) < 0.4, np.round(rng.random((9, 40)), 1)
    some = bound.any(axis=0)
    expected = [average_precision_score(bound[:, place], scores[:, place]) for place in np.flatnonzero(some)]
    assert column_average_precision(bound, scores)[some] == pytest.approx(expected)


def test_what_is_blind_to_cells_has_a_concordance_of_exactly_one_half():
    rng = np.random.default_rng(2)
    cells, tfs = np.repeat(["A", "B", "C"], 4), np.tile(["W", "X", "Y", "Z"], 3)
    bound = rng.random((12, 300)) < 0.3
    by_tf, by_cell = rng.random((4, 300)), rng.random((3, 300))
    assert cell_concordance(bound, np.tile(by_tf, (3, 1)), cells, tfs).value == 0.5
    assert tf_concordance(bound, np.repeat(by_cell, 4, axis=0), cells, tfs).value == 0.5
    assert cell_concordance(bound, bound.astype(float), cells, tfs).value == 1.0


def test_pairs_of_labels_that_are_not_known_count_for_nothing():
    rng = np.random.default_rng(5)
    labels, scores = rng.random((6, 40)) < 0.4, rng.integers(0, 5, (6, 40)).astype(float)
    known = rng.random((6, 40)) < 0.7
    known[:, 0] = False
    labels &= known
    names = np.array(list("XXXYYY"), object)
    found = {name: (won.sum(), pairs.sum()) for name, won, pairs in pair_counts(labels, scores, names, known)}
    for name in "XY":
        won = pairs = 0.0
        for a, b in itertools.permutations(np.flatnonzero(names == name), 2):
            for at in np.flatnonzero(known[a] & known[b] & labels[a] & ~labels[b]):
                pairs += 1
                won += 1.0 if scores[a, at] > scores[b, at] else 0.5 if scores[a, at] == scores[b, at] else 0.0
        assert found[name] == (won, pairs)
    areas, precisions = [], []
    for at in range(40):
        own, values = labels[known[:, at], at], scores[known[:, at], at]
        if own.any() and not own.all():
            areas.append(roc_auc_score(own, values))
            precisions.append(average_precision_score(own, values))
    columns = column_scores(labels, scores, known)
    assert columns.n == len(areas)
    assert columns.auroc == pytest.approx(np.mean(areas)) and columns.auprc == pytest.approx(np.mean(precisions))


def test_concordance_counts_each_pair_of_keys():
    rng = np.random.default_rng(4)
    cells, tfs = ["A", "B", "C", "A"], ["X", "X", "X", "Y"]
    bound, scores = rng.random((4, 50)) < 0.5, np.round(rng.random((4, 50)), 1)
    right = of = 0
    for i, j in ((0, 1), (0, 2), (1, 2)):
        for region in range(50):
            if bound[i, region] != bound[j, region]:
                up, down = (i, j) if bound[i, region] else (j, i)
                of += 1
                right += (scores[up, region] > scores[down, region]) + 0.5 * (
                    scores[up, region] == scores[down, region]
                )
    found = cell_concordance(bound, scores, cells, tfs)
    assert found.n == of and found.value == pytest.approx(right / of)
