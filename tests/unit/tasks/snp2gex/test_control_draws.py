"""A control is drawn ten times where a study names no seeds, each time independently, and its interval over draws covers chance."""

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.checks.plausibility import control_of_chance
from glmflow.config import check_study
from glmflow.config.compared import compared_runs
from glmflow.statistics.influence import mean_correlation
from glmflow.tasks.redraw import redrawn
from tiny_genes import settings_of

STUDY = """
study: draws
simulate: {cohort: {contigs: {chr1: 40000, chr2: 40000}, population: {people: {north: 8}}}}
splits: {by: contig, train: [chr1], test: [chr2]}
tasks:
  expression: &task {kind: snp2gex, windows: {size: 512}, genes: {by: random}}
  permuted: {<<: *task, control: permuted_people}
models: {cnn: {new: {family: promoter_cnn}}}
adaptations: {scratch: {kind: full}}
runs:
  - {tasks: [expression, permuted], models: [cnn], adaptations: [scratch]}
"""


def seeds_of(study, task):
    return sorted(run.seed for run in study.runs_of(task))


def test_ten_draws_unless_seeds_are_named():
    given = yaml.safe_load(STUDY)
    study = check_study(given, "study.yaml")
    assert seeds_of(study, "permuted") == list(range(1, 11)) and seeds_of(study, "expression") == [1]
    controls = [run for run in compared_runs(study, "expression") if run["role"] == "control"]
    assert len(controls) == 10 and len({run["folder"] for run in controls}) == 10
    given["runs"][0]["seeds"] = [4, 7]
    assert seeds_of(check_study(given, "study.yaml"), "permuted") == [4, 7]


@pytest.fixture(scope="module")
def draws(cohort, tmp_path_factory):
    """The score of ten draws: a linear model of genotypes, learned from permuted samples, on samples it has not seen."""
    files, examples, names = cohort
    populations = tmp_path_factory.mktemp("tables")
    (populations / "samples.tsv").write_text("sample\tpopulation\n" + "".join(f"{name}\tnorth\n" for name in names))
    # What is scored is what was measured: expression made of genotypes of the test samples, which permuted ones are not.
    seen = examples[examples["group"].isin(examples.loc[examples["split"] == "train", "group"])]
    scores, targets = [], []
    for seed in range(1, 11):
        settings = settings_of({"baseline": {"kind": "blup"}}, {"kind": "baseline"}, control="permuted_people")
        settings["seed"] = seed
        learned = redrawn(settings, seen)
        targets.append(learned.loc[learned["split"] == "train", "target"].to_numpy())
        assert (learned.loc[learned["split"] == "test", "target"] == seen.loc[seen["split"] == "test", "target"]).all()
        folder = tmp_path_factory.mktemp(f"seed{seed}")
        run_baseline(settings, seen, files | {"tables": str(populations)}, folder)
        held_out = pd.read_parquet(folder / "predictions.parquet").merge(seen, on="example")
        observed, predicted = (
            held_out.pivot(index="sample", columns="group", values=name).to_numpy(float)
            for name in ("target", "prediction")
        )
        scores.append(mean_correlation(observed, predicted, list(range(observed.shape[1])), list(range(len(observed)))))
    return scores, targets


def test_every_draw_is_another_permutation_of_the_same_values(draws):
    _, targets = draws
    assert len({values.tobytes() for values in targets}) == 10
    for values in targets[1:]:
        np.testing.assert_array_equal(np.sort(values), np.sort(targets[0]))


def test_the_interval_over_draws_covers_chance(draws):
    audit = control_of_chance(draws[0], "linear model, samples permuted")
    assert audit.status == "PASS" and "over 10 draws" in audit.sentence and "say more" not in audit.sentence
