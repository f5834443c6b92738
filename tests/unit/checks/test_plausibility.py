"""Warnings made from scores alone."""

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.plausibility import control_of_chance, implausible_scores, kind_of_split
from glmflow.statistics.influence import mean_value


def row(**more):
    known = {"label": "a", "value": 0.3, "low": 0.2, "high": 0.4, "ceiling_high": 0.5, "missing": 0.0, "constant": 0.1}
    return pd.DataFrame([known | more])


@pytest.mark.parametrize(
    ("found", "name", "status"),
    [
        ({}, None, None),
        ({"value": 0.55, "low": 0.5, "high": 0.6}, "above the ceiling", "WARN"),
        ({"value": 0.45}, None, None),
        ({"value": 1.0, "low": 1.0, "high": 1.0, "ceiling_high": np.nan}, "a score of 1", "FAIL"),
        ({"value": -0.3, "low": -0.4, "high": -0.1}, "a negative sign", "WARN"),
        ({"value": -0.3, "low": -0.4, "high": -0.1, "declared": True}, None, None),
        ({"value": -1.0, "low": -1.0, "high": 0.1}, "a score of 1", "FAIL"),
        ({"value": -2.3, "low": -3.0, "high": 0.1}, None, None),  # an accuracy of 0 where chance is right for 70 %
        ({"value": -0.05, "low": -0.2, "high": 0.1}, None, None),
        ({"missing": 0.01}, "nothing predicted", "WARN"),
        ({"missing": 0.2}, "nothing predicted", "FAIL"),
        ({"constant": 0.7}, "constant predictions", "WARN"),
    ],
)
def test_each_bound_has_its_warning(found, name, status):
    audits = implausible_scores(row(**found))
    assert {audit.name: audit.status for audit in audits if audit.status != "PASS"} == ({name: status} if name else {})
    assert all("a" in audit.sentence for audit in audits if audit.status != "PASS")


@pytest.mark.parametrize(("counted", "status"), [(40, "WARN"), (100, "FAIL"), (None, "FAIL")])
def test_forty_right_answers_may_be_luck_where_a_hundred_are_not(counted, status):
    audit = implausible_scores(row(value=1.0, low=1.0, high=1.0, ceiling_high=np.nan), "validation", counted)[0]
    assert audit.status == status and ("luck" in audit.sentence) == (status == "WARN")


def test_a_small_share_is_not_called_none():
    (audit,) = (one for one in implausible_scores(row(missing=0.0004)) if one.name == "nothing predicted")
    assert audit.status == "WARN" and audit.sentence.startswith("fewer than 0.1% of the examples")


def test_an_audit_carries_every_run_that_it_is_about():
    """Its sentence names five of seven, and a label may hold a colon."""
    labels = [f"model: {n}" for n in range(7)]
    rows = pd.concat([row(label=label, value=1.0) for label in labels], ignore_index=True)
    audits = {audit.name: audit for audit in implausible_scores(rows)}
    assert audits["a score of 1"].runs == tuple(labels) and "2 more" in audits["a score of 1"].sentence
    assert audits["nothing predicted"].runs == ()
    assert control_of_chance(scored([0.1, 0.2]), "cnn: permuted (x)").runs == ("cnn: permuted (x)",)


def test_bounds_that_are_not_known_are_not_judged():
    assert len(implausible_scores(row()[["label", "value", "low", "high"]])) == 2


def test_the_split_that_chose_is_validation_whatever_its_name():
    assert kind_of_split("test", ["validation"]) == ("test", "")
    word, note = kind_of_split("test", ["test"])
    assert word == "validation" and "held out" not in note and "chose" in note


def scored(values, seed=0):
    noise = 0.02 * np.random.default_rng(seed).normal(size=300)
    return [mean_value(value + noise) for value in values]


def test_a_control_scores_what_chance_does():
    rng = np.random.default_rng(0)
    at_chance = control_of_chance(scored(0.01 * rng.normal(size=10)), "samples permuted")
    assert at_chance.status == "PASS" and "10 draws" in at_chance.sentence
    leaking = control_of_chance(scored(0.1 + 0.01 * rng.normal(size=10)), "samples permuted")
    assert leaking.status == "WARN" and "not what chance does" in leaking.sentence
    assert "10 say more" in control_of_chance(scored([0.0]), "samples permuted").sentence


def test_intervals_of_controls_cover_chance():
    """95 % of controls of ten draws at chance pass (here 200; 3 standard errors are 4.6 %)."""
    passed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        shared = 0.02 * rng.normal(size=300)
        draws = [mean_value(0.01 * rng.normal() + shared + 0.01 * rng.normal(size=300)) for _ in range(10)]
        passed += control_of_chance(draws, "x").status == "PASS"
    assert 0.90 <= passed / 200 <= 0.99
