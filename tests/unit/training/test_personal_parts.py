"""Attempts at a run on people: one that failed for good is not begun, a prediction goes on after the genes it has kept."""

import pandas as pd
import pytest
from glmflow.errors import HopelessError
from glmflow.training import personal
from glmflow.training.fit import checkpoints_of, record_failure
from glmflow.training.personal import finetune, open_windows, predict
from pandas.testing import assert_frame_equal
from test_personal_runs import ADAPTATIONS, cohort, settings_of  # noqa: F401 (cohort is a fixture)


def test_a_killed_prediction_computes_the_other_genes_alone(cohort, tmp_path, monkeypatch):  # noqa: F811
    place, examples, _ = cohort
    genes = examples["group"].nunique()
    settings = settings_of(*ADAPTATIONS["full"])
    windows = open_windows(settings["task"], place / "store", place / "made/genome.fa", examples)
    finetune(settings, examples, windows, None, [place / "store"], tmp_path)
    predict(tmp_path / "model", examples, windows, tmp_path)
    expected = [pd.read_parquet(tmp_path / "predictions.parquet"), pd.read_csv(tmp_path / "variants.tsv", sep="\t")]
    assert not (tmp_path / ".parts").exists()

    monkeypatch.setattr(personal, "GENES_OF_A_PART", 2)
    computed, variant_effects = [], personal.variant_effects

    def killed_at(number):
        def effects(gene, *arguments):
            computed.append(gene.name)
            if len(computed) == number:
                raise KeyboardInterrupt
            return variant_effects(gene, *arguments)

        return effects

    again = tmp_path / "again"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(personal, "variant_effects", killed_at(4))
        predict(tmp_path / "model", examples, windows, again)
    assert not (again / "predictions.parquet").exists() and len(computed) == 4
    first_part = set(computed[:2])
    computed.clear()
    monkeypatch.setattr(personal, "variant_effects", killed_at(None))
    predict(tmp_path / "model", examples, windows, again)
    assert len(computed) == genes - 2 and not first_part & set(computed)
    assert_frame_equal(pd.read_parquet(again / "predictions.parquet"), expected[0])
    assert_frame_equal(pd.read_csv(again / "variants.tsv", sep="\t"), expected[1])
    assert not (again / ".parts").exists()


def test_a_run_that_failed_for_good_is_refused_before_its_model_is_loaded(cohort, tmp_path, monkeypatch):  # noqa: F811
    place, examples, _ = cohort
    settings = settings_of(*ADAPTATIONS["full"])
    windows = open_windows(settings["task"], place / "store", place / "made/genome.fa", examples)
    run = (settings, examples, windows, None, [place / "store"], tmp_path)

    def fails(model, draws, collate, training, updates, folder, seed, evaluate, identity):
        assert updates == settings["adaptation"]["train"]["steps"]
        record_failure(checkpoints_of(folder, training, updates, seed, identity), HopelessError("the loss is nan"))

    def never(*arguments):
        raise AssertionError("a model is loaded")

    with monkeypatch.context() as patch, pytest.raises(AttributeError):  # nothing is fitted
        patch.setattr(personal, "fit", fails)
        finetune(*run)
    monkeypatch.setattr(personal, "starting_model", never)
    with pytest.raises(HopelessError, match="not tried again, as nothing has changed: the loss is nan"):
        finetune(*run)
