"""Generated answers: as the originals score them, and by a rule that sees wrong ones."""

import math

import pytest
from diagnosis_data import expected
from glmflow.tasks.diagnosis.official_answers import (
    answer_line,
    official_csv,
    official_labels,
    official_rows,
    official_scores,
    two_label_counts,
)
from glmflow.tasks.diagnosis.strict_answers import NONE, OTHER, strict_answers, strict_scores
from glmflow.tasks.diagnosis.text_scoring import listed_metrics

EFFECTS = ["pathogenic", "benign"]


def cases():
    found = expected("score")
    return [(case, EFFECTS if case["name"].startswith("vep") else found["labels"]) for case in found["cases"]]


def test_official_scores_are_those_of_the_original():
    for case, _ in cases():
        text = official_csv(official_rows(case["generation"], case["ground_truth"]))
        wanted = case["official"]
        assert text == wanted["csv"], case["name"]
        found = official_scores(text)
        assert found["pred_label_after_correction"] == wanted["pred_label_after_correction"], case["name"]
        for name in ("accuracy", "macro_precision", "macro_recall", "macro_f1"):
            assert math.isclose(found[name], wanted[name], abs_tol=1e-12), (case["name"], name)


def test_strict_scores_follow_the_rule():
    for case, classes in cases():
        found = strict_scores(case["generation"], case["ground_truth"], classes)
        for name, value in case["strict"].items():
            assert found[name] == pytest.approx(value, abs=1e-12) if name != "predicted" else found[name] == value


def test_counts_for_two_labels():
    counted = [case for case, _ in cases() if "bioreason" in case]
    assert counted
    for case in counted:
        assert two_label_counts(case["generation"], case["ground_truth"]) == pytest.approx(case["bioreason"])


def test_the_line_of_an_answer():
    for case in expected("score")["extract_single_entry"]:
        assert answer_line(case["in"]) == case["out"]


def test_an_empty_text_is_no_label_and_no_answer():
    text = official_csv(official_rows(["", "Answer: b"], ["a", "b"]))
    assert official_labels(text) == (["a", "b"], [None, "b"])
    assert official_scores(text)["accuracy"] == 0.5
    assert strict_answers([""], ["a"]) == [NONE]


def test_wrong_answers_cost_precision_only_by_the_strict_rule():
    texts = ["<think>\nx\n</think>\n\nAnswer: a<|im_end|>"] * 4
    truths = ["a", "a", "b", "b"]
    assert official_scores(official_csv(official_rows(texts, truths)))["macro_precision"] == 1
    assert strict_scores(texts, truths, ["a", "b"])["macro_over_ground_truth_labels"]["precision"] == 0.25


def test_a_class_may_hold_a_semicolon():
    found = strict_scores(["Answer: a; type 2", "Answer: a"], ["A; type 2", "a; type 3"], ["a", "a; type 2"])
    assert found["predicted"] == ["a; type 2", "a"] and found["accuracy"] == 1


def test_answers_held_to_the_list_are_scored_over_the_true_classes():
    rows = {row["metric"]: row["value"] for row in listed_metrics(["a", "c", "b", "b"], ["a", "a", "b", "b"])}
    assert rows == {
        "listed_accuracy": 0.75,
        "listed_precision_macro": 1,
        "listed_f1_macro": pytest.approx((2 / 3 + 1) / 2),
    }
    assert listed_metrics([], []) == []


def test_an_answer_outside_the_list_is_no_class():
    assert strict_answers(["Answer: all of a and b", 'answer: "A."<|im_end|>b'], ["a", "b"]) == [OTHER, "a"]
