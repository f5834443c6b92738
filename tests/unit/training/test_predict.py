"""A prediction that was killed computes the rest alone, for every input."""

import json

import pandas as pd
import pytest
from glmflow.training.finetune import finetune
from glmflow.training.inputs import gene_haplotypes, track_windows
from glmflow.training.predict import predict
from pandas.testing import assert_frame_equal
from tiny_genes import ADAPTATIONS, settings_of
from tiny_tracks import tiny_tracks


def trained(folder, settings, examples, files, checkpoint=None):
    """Train and predict in `folder/run`; return what `predict` takes but for its folder."""
    run = folder / "run"
    finetune(settings, examples, files, checkpoint, run)
    inputs = (settings, examples, files, run / "model")
    predict(*inputs, run)
    assert not (run / ".parts").exists()
    return inputs


def test_a_killed_prediction_computes_the_other_windows_alone(tmp_path, monkeypatch):
    inputs = trained(tmp_path, **tiny_tracks(tmp_path))
    computed, predict_windows = [], track_windows.predict_windows

    def killed_at(number):
        def predict(model, genome, windows, swap):
            computed.extend(windows["example"])
            if len(computed) == number:
                raise KeyboardInterrupt
            return predict_windows(model, genome, windows, swap)

        return predict

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(track_windows, "predict_windows", killed_at(2))
        predict(*inputs, tmp_path / "again")
    assert computed == ["w13", "w14"], "the first of three held-out windows is kept"
    assert not (tmp_path / "again/predicted").exists()
    computed.clear()
    monkeypatch.setattr(track_windows, "predict_windows", killed_at(None))
    predict(*inputs, tmp_path / "again")
    assert computed == ["w14", "w15"]
    for name in ("predicted/blood.bw", "predictions.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    assert not (tmp_path / "again/.parts").exists()
    cost = json.loads((tmp_path / "again/prediction.json").read_text())
    assert cost["predicted"] == 3 and {"predict_seconds", "predict_peak_memory_mb", "parameters"} <= cost.keys()


def test_a_killed_prediction_computes_the_other_genes_alone(cohort, tmp_path, monkeypatch):
    files, examples, _ = cohort
    genes = examples["group"].nunique()
    inputs = trained(tmp_path, settings_of(*ADAPTATIONS["full"]), examples, files)

    def tables(folder):
        variants = pd.read_csv(folder / "predicted/variants.tsv", sep="\t")
        return pd.read_parquet(folder / "predictions.parquet"), variants

    monkeypatch.setattr(gene_haplotypes, "GENES_OF_A_PART", 2)
    computed, variant_effects = [], gene_haplotypes.variant_effects

    def killed_at(number):
        def effects(gene, *arguments):
            computed.append(gene.name)
            if len(computed) == number:
                raise KeyboardInterrupt
            return variant_effects(gene, *arguments)

        return effects

    again = tmp_path / "again"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(gene_haplotypes, "variant_effects", killed_at(4))
        predict(*inputs, again)
    assert not (again / "predictions.parquet").exists() and len(computed) == 4
    first_part = set(computed[:2])
    computed.clear()
    monkeypatch.setattr(gene_haplotypes, "variant_effects", killed_at(None))
    predict(*inputs, again)
    assert len(computed) == genes - 2 and not first_part & set(computed)
    for found, expected in zip(tables(again), tables(tmp_path / "run")):
        assert_frame_equal(found, expected)
    assert not (again / ".parts").exists()
