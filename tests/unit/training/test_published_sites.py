"""Checkpoints laid out as published ones are, asked as they are about the sites of TFs: ranks without labels, beside the motif."""

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.binding_tables import Binding
from glmflow.config import check_study, run_settings
from glmflow.config.views import Run
from glmflow.files import write_table
from glmflow.tasks.seq2cellxtf import examples, score
from glmflow.tasks.tables import Division
from glmflow.training.predict import predict

pytestmark = pytest.mark.slow
TASK = {
    "kind": "seq2cellxtf",
    "simulated": {"regions": 100, "cells": 4, "tfs": 8, "width": 90, "seed": 1},
    "keys": {"cells": 1, "pairs": 0.1, "validation": 0.2},
    "length": 90,
    "components": 0,
    "bootstrap": 5,
}


@pytest.mark.parametrize(
    ("checkpoint", "asked"),
    [
        ("nt-v2", ["support", "state_change"]),  # masked 6-mers
        ("caduceus-ph", ["support", "information"]),  # masked bases
        ("hyenadna", ["support", "information"]),  # causal bases, no start token
        ("generator", ["state_change", "support"]),  # causal 6-mers
    ],
)
def test_published_checkpoints_rank_sites_beside_the_motif(test_data, tmp_path, checkpoint, asked):
    folder = test_data / "parity" / checkpoint
    task = TASK | {"unlabelled": asked}
    study = check_study(
        {
            "study": "published",
            "tasks": {"binding": task},
            "models": {"model": {"checkpoint": str(folder)}},
            "adaptations": {"as_it_is": {"kind": "zero-shot"}},
            "runs": [{"tasks": ["binding"], "models": ["model"], "adaptations": ["as_it_is"]}],
        }
    )
    found = examples(study.tasks["binding"], {}, Division())
    for name, table in found.facts.items():
        write_table(table, tmp_path / name)
    settings, files = run_settings(study, Run("binding", "model", "as_it_is", 1)), {"tables": str(tmp_path)}
    predict(settings, found.table, files, folder, tmp_path)
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    sites = pd.read_parquet(tmp_path / "predicted/site_scores.parquet")
    binding = Binding(found.table, tmp_path)
    place = binding.regions.set_index("example").index
    for tf, own in sites.groupby("tf"):
        margins = binding.margins[place.get_indexer(own["example"]), binding.tf_names.index(tf)]
        assert own["motif"].to_numpy() == pytest.approx(margins, abs=1e-4)
        assert (own[asked].notna().mean() > 0.9).all() and (own[asked].nunique() > len(own) / 2).all()
    values = predictions.drop(columns="example").to_numpy()
    assert values.min() > 0 and values.max() <= 1 and np.isfinite(values).all()
    scored = score(settings | {"task": task}, found.table, predictions, tmp_path / "predicted", files)
    table = scored.tables["unlabelled.tsv"].set_index("score")
    assert list(table.index) == ["motif", *asked] and table["auroc"].between(0.2, 0.9).all()
    assert table.loc["motif", "auroc"] > 0.6
