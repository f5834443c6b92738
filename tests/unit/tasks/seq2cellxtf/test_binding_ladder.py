"""Baselines on simulated binding: their order is that of what they know, and nobody exceeds the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.binding.binding_tables import Binding
from glmflow.config.baselines import Baseline
from glmflow.config.tasks import task_block
from glmflow.dna.shuffles import eulerian_walk
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.tasks.seq2cellxtf import examples, redraw, score
from glmflow.tasks.tables import Division
from pydantic import TypeAdapter

TASK = {
    "kind": "seq2cellxtf",
    "simulated": {"regions": 1200, "cells": 8, "tfs": 24, "width": 300, "seed": 1},
    "keys": {"cells": 1, "families": 2, "tfs": 3, "pairs": 0.06, "validation": 0.1},
    "length": 300,
    "components": 4,
    "bootstrap": 20,
}
BLIND = [{"kind": "key_prevalence"}, {"kind": "region_width"}, {"kind": "predicted_frequency"}, {"kind": "best_motif"}]
LADDER = [BLIND[0], BLIND[1], BLIND[3], {"kind": "motif_accessibility"}, {"kind": "pooled_boosting", "trees": 60}]


def made(folder, **settings):
    found = examples(task_block(TASK | settings), {}, Division())
    for name, table in found.facts.items():
        write_table(table, folder / name)
    return found


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("binding")
    return made(folder), folder


def settings_of(block):
    labels = {"study": "s", "task_label": "t", "model_label": block["kind"], "adaptation_label": "baseline", "seed": 1}
    return labels | {"task": TASK}


def predicted_by(simulated, block):
    found, folder = simulated
    baseline = TypeAdapter(Baseline).validate_python(block)
    data = FittingData(baseline, settings_of(block), found.table, {"tables": str(folder)})
    return fit_of("seq2cellxtf", baseline.kind)(data)(Path())


def scored_of(simulated, block, predictions):
    found, folder = simulated
    return score(settings_of(block), found.table, predictions, Path(), {"tables": str(folder)})


def metrics_of(simulated, block):
    scored = scored_of(simulated, block, predicted_by(simulated, block))
    rows = scored.metrics[(scored.metrics["split"] == "test") & (scored.metrics["protocol"] == "strict")]
    return rows.set_index(["subset", "metric"])["value"], scored


def test_who_knows_more_scores_higher_and_nobody_exceeds_the_truth(simulated):
    found = [metrics_of(simulated, block)[0] for block in [*LADDER, {"kind": "binding_truth"}]]
    values = [one["all", "auprc"] for one in found]
    assert values == sorted(values) and len(set(values)) == len(values)
    assert found[0]["all", "auroc"] == 0.5
    assert found[-1]["all", "cell_concordance"] > found[3]["all", "cell_concordance"] > 0.53


def test_what_is_blind_to_cells_has_a_concordance_of_exactly_one_half(simulated):
    for block in BLIND:
        values, _ = metrics_of(simulated, block)
        assert values["all", "cell_concordance"] == 0.5
        if block["kind"] != "best_motif":
            assert values["all", "tf_concordance"] == 0.5


@pytest.mark.parametrize(
    "block",
    [
        *({"kind": name} for name in ("region_composition", "known_frequency", "known_tf_mean", "known_cell_mean")),
        *({"kind": name} for name in ("known_tf_cell_mean", "motif_expression", "cell_accessibility", "two_tower")),
        {"kind": "best_motif", "corrected": True},
        {"kind": "cell_accessibility", "proxy": True},
        {"kind": "motif_accessibility", "proxy": True},
        {"kind": "nearest_key"},
        {"kind": "nearest_key", "by": "cell"},
        {"kind": "pooled_logistic"},
        {"kind": "pooled_logistic", "accessibility": False},
        {"kind": "pooled_boosting", "accessibility": False, "trees": 20},
    ],
    ids=lambda block: "-".join(map(str, block.values())),
)
def test_every_baseline_orders_regions_better_than_chance(simulated, block):
    values, scored = metrics_of(simulated, block)
    assert values["all", "auroc"] > 0.55 and np.isfinite(values["all", "auprc"])
    assert "test\tall\tall\t300\tauprc" in scored.units


@pytest.fixture(scope="module")
def half_ambiguous(simulated, tmp_path_factory):
    """The same data, with every label unbound in every second region, once said to be ambiguous and once not."""
    found, _ = simulated
    labels = found.facts["labels.parquet"]
    keys, odd = len(found.facts["keys.tsv"]), np.arange(1, len(found.table), 2)
    every = pd.DataFrame({"key": np.tile(np.arange(keys), len(odd)), "region": np.repeat(odd, keys)})
    folders = []
    for name in ("said", "unsaid"):
        folder = tmp_path_factory.mktemp(name)
        for file, table in found.facts.items():
            write_table(table, folder / file)
        write_table(labels[labels["region"] % 2 == 0], folder / "labels.parquet")
        folders.append(folder)
    write_table(every, folders[0] / "ambiguous.parquet")
    return [(found, folder) for folder in folders]


@pytest.mark.parametrize(
    "block",
    [
        *(
            {"kind": name}
            for name in ("key_prevalence", "region_composition", "predicted_frequency", "known_frequency")
        ),
        *({"kind": name} for name in ("known_tf_mean", "nearest_key", "pooled_logistic", "two_tower")),
        {"kind": "nearest_key", "by": "cell"},
        {"kind": "pooled_boosting", "trees": 20},
    ],
    ids=lambda block: "-".join(map(str, block.values())),
)
def test_ambiguous_labels_are_not_learned_as_unbound(simulated, half_ambiguous, block):
    means = [
        predicted_by(data, block).drop(columns="example").to_numpy().mean() for data in (simulated, *half_ambiguous)
    ]
    whole, said, unsaid = means
    assert unsaid < 0.65 * whole and 0.8 * whole < said < 1.25 * whole


def test_ambiguous_labels_are_not_scored(simulated, half_ambiguous):
    """The scores are those of a table without the ambiguous regions."""
    block = {"kind": "motif_accessibility"}
    (found, folder), said = simulated, half_ambiguous[0]
    kept = found.table.iloc[::2].reset_index(drop=True)
    part = folder.parent / "even"
    for file, table in found.facts.items():
        if file in ("scores.parquet", "margins.parquet", "accessibility.parquet", "truth.parquet"):
            table = table.iloc[::2].reset_index(drop=True)
        if file == "labels.parquet":
            table = table[table["region"] % 2 == 0].assign(region=lambda rows: rows["region"] // 2)
        write_table(table, part / file)
    predictions = predicted_by(said, block)
    own = scored_of(said, block, predictions)
    other = scored_of(
        (found._replace(table=kept), part), block, predictions[predictions["example"].isin(kept["example"])]
    )
    columns = ["subset", "metric", "value", "ci_low", "ci_high", "n"]
    rows = [one.metrics[one.metrics["protocol"] == "strict"][columns].reset_index(drop=True) for one in (own, other)]
    pd.testing.assert_frame_equal(*rows)
    assert "official" not in set(own.metrics["protocol"]) and "official" in set(other.metrics["protocol"])
    for name, one in other.units.items():
        assert own.units[name].score.value == pytest.approx(one.score.value)


def test_permuted_cells_leave_no_order_of_cells(tmp_path):
    control = made(tmp_path, control="permuted_cells"), tmp_path
    values, _ = metrics_of(control, {"kind": "motif_accessibility"})
    assert values["all", "cell_concordance"] == pytest.approx(0.5, abs=0.03)
    drawn = [Binding(redraw(control[0].table, seed), tmp_path).cell_of_keys for seed in range(1, 11)]
    assert len({own.tobytes() for own in drawn}) == 10
    assert (drawn[0] == Binding(control[0].table, tmp_path).cell_of_keys).all()
    block = task_block(TASK | {"control": "permuted_cells"})
    assert block.control_draws == 10 and block.uncontrolled["control"] == "none"
    tables = [control[0]._replace(table=redraw(control[0].table, seed)) for seed in range(1, 11)]
    again = [
        metrics_of((one, tmp_path), {"kind": "motif_accessibility"})[0]["all", "cell_concordance"] for one in tables
    ]
    assert np.mean(again) == pytest.approx(0.5, abs=0.03) and again[0] == values["all", "cell_concordance"]


def test_permuted_tfs_leave_what_region_and_cell_say_alone(simulated, tmp_path):
    """A motif alone is at chance, and a model of everything where it is without what it reads of TFs; new TFs too."""
    control = made(tmp_path, control="permuted_tfs"), tmp_path
    keys, tfs = control[0].facts["keys.tsv"], control[0].facts["tfs.tsv"].set_index("tf")
    for unit in ("family", "cluster"):
        assert (keys["tf_features_of"].map(tfs[unit]) != keys["tf"].map(tfs[unit])).all()
    values, _ = metrics_of(control, {"kind": "best_motif"})
    own, _ = metrics_of(simulated, {"kind": "best_motif"})
    assert values["all", "auroc"] < 0.6 < own["all", "auroc"]
    blind, _ = metrics_of(simulated, {"kind": "pooled_logistic", "tf": False})
    values, own = (metrics_of(data, {"kind": "pooled_logistic"})[0] for data in (control, simulated))
    assert blind["all", "tf_concordance"] == 0.5
    for subset in ("all", "kind_b", "kind_d"):
        assert values[subset, "auprc"] == pytest.approx(blind[subset, "auprc"], abs=0.02), subset
        assert own[subset, "auprc"] > blind[subset, "auprc"] + 0.1


def test_shuffled_sequences_leave_no_site(simulated, tmp_path):
    control = made(tmp_path, control="shuffled_sequences"), tmp_path
    values, _ = metrics_of(control, {"kind": "best_motif"})
    own, _ = metrics_of(simulated, {"kind": "best_motif"})
    assert values["all", "auroc"] < 0.6 < own["all", "auroc"]


def test_the_width_is_said_to_leak_and_examples_are_the_same_again(simulated, tmp_path):
    found, folder = simulated
    width = found.checks[found.checks["check"].str.contains("width of regions alone")].iloc[0]
    assert width["leak"] == "yes"
    again = made(tmp_path)
    pd.testing.assert_frame_equal(again.table, found.table)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_tables_come_back_as_arrays(simulated):
    found, folder = simulated
    binding = Binding(found.table, folder)
    assert binding.labels.sum() == len(found.facts["labels.parquet"])
    assert set(binding.split_of_keys) == {"train", "validation", "test"}
    own = binding.accessibility[:, binding.split_of_regions == "train"]
    assert np.quantile(own, 0.95, axis=1) == pytest.approx(1, abs=0.01)
    assert binding.truth.shape == binding.labels.shape and (binding.occupancy <= 1).all()


def test_a_key_without_predictions_is_named(simulated):
    found, folder = simulated
    binding = Binding(found.table, folder)
    key = binding.keys.loc[binding.keys["split"] == "test", "key"].iloc[0]
    rows = found.table.loc[found.table["split"] != "train", ["example"]]
    names = [name for name in binding.keys["key"] if name != key]
    half = pd.DataFrame(0.5, index=rows.index, columns=[f"prediction_{name}" for name in names])
    predictions = pd.concat([rows, half], axis=1)
    settings = {"task": TASK, "study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    with pytest.raises(InputError, match=f"1 keys are not predicted: {key}"):
        score(settings, found.table, predictions, Path(), {"tables": str(folder)})


def test_shuffled_sequences_keep_their_dinucleotides():
    rng = np.random.default_rng(0)
    for size in (2, 3, 10, 200):
        text = "".join(rng.choice(list("ACGT"), size))
        other = eulerian_walk(text, rng)
        pairs = [sorted(one[i : i + 2] for i in range(size - 1)) for one in (text, other)]
        assert pairs[0] == pairs[1]
    assert other != text


def test_regions_with_a_copy_in_training_are_left_out_beside_the_whole(simulated):
    found, folder = simulated
    block = {"kind": "motif_accessibility"}
    predictions = predicted_by(simulated, block)
    test = (found.table["split"] == "test").to_numpy()
    copied = test & (np.arange(len(test)) % 4 == 0)
    keys = [name for name in predictions if name.startswith("prediction_")]
    place = predictions.set_index("example").index.isin(found.table["example"][copied])
    predictions.loc[place, keys] = np.random.default_rng(0).random((place.sum(), len(keys)), np.float32)
    planted = found._replace(table=found.table.assign(no_near_copy=test & ~copied)), folder
    scored = scored_of(planted, block, predictions)
    value = scored.metrics[scored.metrics["split"] == "test"].set_index(["subset", "metric"])["value"]
    assert value["no_near_copy", "auroc"] > value["all", "auroc"] + 0.03
    assert {name.split("\t")[1] for name in scored.units} > {"all", "no_near_copy"}
