"""The order of baselines on each kind of key of simulated binding, of the size of the study (specification: all five splits)."""

from pathlib import Path

import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.config.baselines import Baseline
from glmflow.config.tasks import task_block
from glmflow.files import write_table
from glmflow.tasks.seq2cellxtf import examples, score
from glmflow.tasks.tables import Division
from pydantic import TypeAdapter

pytestmark = pytest.mark.slow
KINDS = ["kind_a", "kind_b_sibling", "kind_b_new_family", "kind_c", "kind_d"]
LADDER = ["key_prevalence", "region_width", "best_motif", "motif_accessibility", "pooled_boosting", "binding_truth"]
SEEDS = (1, 2, 3)


def auprc_of(folder, seed):
    """Return AUPRC, kinds of keys x baselines."""
    task = {
        "kind": "seq2cellxtf",
        "simulated": {"regions": 3000, "cells": 12, "tfs": 42, "width": 400, "seed": seed},
        "keys": {"cells": 2, "families": 4, "tfs": 6, "pairs": 0.06, "validation": 0.1, "seed": seed},
        "length": 400,
        "bootstrap": 2,
    }
    made = examples(task_block(task), {}, Division())
    for name, table in made.facts.items():
        write_table(table, folder / name)
    labels = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "baseline", "seed": 1}
    settings, files, found = labels | {"task": task}, {"tables": str(folder)}, {}
    for kind in LADDER:
        data = FittingData(TypeAdapter(Baseline).validate_python({"kind": kind}), settings, made.table, files)
        predictions = fit_of("seq2cellxtf", kind)(data)(Path())
        metrics = score(settings, made.table, predictions, Path(), files).metrics
        own = metrics[(metrics["split"] == "test") & (metrics["metric"] == "auprc")].set_index("subset")["value"]
        found[kind] = own.reindex(KINDS)
    return pd.DataFrame(found)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return AUPRC of each seed."""
    return [auprc_of(tmp_path_factory.mktemp(f"seed{seed}"), seed) for seed in SEEDS]


@pytest.mark.parametrize("kind", KINDS)
def test_who_knows_more_scores_higher_on_every_kind_of_key(tables, kind):
    mean = sum(table.loc[kind] for table in tables) / len(tables)
    steps = mean.diff().dropna()
    assert (steps > 0).all(), mean.round(3).to_dict()
