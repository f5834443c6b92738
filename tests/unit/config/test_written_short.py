"""Adaptations by the name of a protocol, and with a list of training shares."""

import pytest
from glmflow.config import check_study, expand_runs, run_settings
from glmflow.config.adaptations import Adaptation
from glmflow.config.benchmark_sets import protocol, protocol_names
from glmflow.config.mistakes import ConfigurationError
from glmflow.config.written_short import KINDS, of_protocol, protocol_metric, written_out
from glmflow.errors import InputError

TASK = {"kind": "sequences", "table": "t.csv", "length": 50}


def study(adaptations, runs=None, **more):
    return check_study(
        {
            "study": "s",
            "tasks": {"a": TASK},
            "models": {"cnn": {"checkpoint": "any"}},
            "adaptations": adaptations,
            "runs": runs or [{"tasks": ["a"], "models": ["cnn"], "adaptations": list(adaptations)}],
            **more,
        }
    )


def test_a_list_of_shares_is_an_adaptation_each():
    train = {"optimizer": "adamw", "batch": 8, "examples": [0.01, 0.1, 1.0]}
    found = study({"scratch": {"kind": "full", "train": train}, "other": {"kind": "full"}})
    assert list(found.adaptations) == ["scratch-0.01", "scratch-0.1", "scratch", "other"]
    assert [found.adaptations[name].train.examples for name in found.adaptations] == [0.01, 0.1, 1, 1]
    runs, misfits = expand_runs(found)
    assert [run.adaptation for run in runs] == ["scratch-0.01", "scratch-0.1", "scratch", "other"] and not misfits
    assert run_settings(found, runs[0])["adaptation"]["train"]["examples"] == 0.01
    with pytest.raises(ConfigurationError, match="greater than 0"):
        study({"scratch": {"kind": "full", "train": {"examples": [0, 1]}}})


def test_a_protocol_fills_in_what_is_left_out():
    found = study({"hyena": {"protocol": "hyenadna", "train": {"epochs": 2, "batch": 128}}}).adaptations["hyena"]
    assert (found.kind, found.head.pool, found.train.optimizer, found.train.learning_rate) == (
        "full",
        "mean",
        "adamw",
        6e-4,
    )
    assert (found.train.epochs, found.train.batch, found.train.folds, found.train.keep) == (2, 128, 10, "best")
    assert found.sweep is None  # one rate, and the batch is given
    swept = study({"cad": {"protocol": "caduceus"}}).adaptations["cad"]
    assert swept.sweep == {"learning_rate": [1e-3, 2e-3], "batch": [128, 256]} and swept.train.reverse_complement
    tata = study({"d": {"protocol": "dnabert2_gue/prom_tata"}}).adaptations["d"]
    assert (tata.train.epochs, tata.train.learning_rate, tata.train.batch) == (10, 3e-5, 32)
    lora = study({"l": {"protocol": "aido_lora/gue"}}).adaptations["l"]
    assert (lora.kind, lora.rank, lora.alpha, lora.train.epochs) == ("lora", 16, 32, 20)
    either = study(
        {"i": {"protocol": "nucleotide_transformer"}, "l": {"protocol": "nucleotide_transformer", "kind": "lora"}}
    )
    assert [either.adaptations[label].kind for label in "il"] == ["ia3", "lora"]
    bend = Adaptation.model_validate(of_protocol("bend/enhancer_annotation")[0])
    assert (bend.kind, bend.train.learning_rate, bend.train.batch, bend.train.epochs) == ("probe", 1e-3, 8, 100)
    assert (bend.head.hidden, bend.loss.positive_weight) == (2, 82.9)
    assert (
        of_protocol("bend")[0]["train"]["learning_rate"]
        == of_protocol("bend/gene_finding")[0]["train"]["learning_rate"]
    )


def test_every_protocol_that_trains_is_a_study_and_says_what_differs():
    trained = [name for name in protocol_names() if protocol(name).get("tuned") in KINDS]
    assert len(trained) >= 8
    for name in trained:
        epochs = protocol(name).get("epochs")
        full = f"{name}/{next(iter(epochs))}" if isinstance(epochs, dict) else name
        followed = study({"x": {"protocol": full}})
        assert followed.adaptations["x"].protocol == full
        for run in expand_runs(followed)[0]:  # a job takes the settings as they are written out
            written = run_settings(followed, run)["adaptation"]
            assert Adaptation.model_validate(written).model_dump(include=set(written)).keys() == written.keys()
    settings, _ = of_protocol("generator")
    train = settings["train"]
    assert (train["schedule"], train["patience"], train["epochs"], train["folds"]) == ("plateau", 5, 1000, 10)
    gue, differs = of_protocol("dnabert2_gue/splice")
    assert gue["train"]["warmup"] == 50 and any("fp16" in one for one in differs)
    assert of_protocol("aido_lora/gue")[0]["train"]["best_by"] == "mcc"
    mouse = study({"x": {"protocol": "dnabert2_gue/mouse"}}).adaptations["x"].train
    assert [mouse.updates(rows) for rows in (3_200, 100_000)] == [500, 1000]  # five epochs of batches of 32, capped
    same = {**of_protocol("caduceus")[0]["train"], "epochs": 20, "evaluations": 20}
    assert of_protocol("caduceus_nt")[0]["train"] == {name: same[name] for name in same if name != "best_by"}
    for name in (
        "hyenadna",
        "caduceus",
        "caduceus_nt",
        "nucleotide_transformer",
        "genomic_benchmarks",
        "frozen_xgboost",
    ):
        assert of_protocol(name)[1], name
    assert {of_protocol(name)[0]["train"]["optimizer"] for name in ("generator", "dnabert2_gue/emp")} == {"adamw"}


@pytest.mark.parametrize(
    ("name", "preset", "metric"),
    [
        ("dnabert2_gue/virus", "gue/virus_covid", "f1_macro"),
        ("dnabert2_gue/tf", "gue/tf_0", "mcc"),
        ("caduceus_nt", "nt_revised/promoter_tata", "f1_macro"),
        ("caduceus_nt", "nt/splice_sites_all", "accuracy"),
        ("caduceus_nt", "nt_revised/H3K27ac", "mcc"),
        ("caduceus", "genomic_benchmarks/demo_human_or_worm", "accuracy"),
        ("generator", "nt/H3", None),
    ],
)
def test_the_metric_is_that_of_the_protocol_for_the_set(name, preset, metric):
    assert protocol_metric(name, preset) == metric


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("caducus", "no protocol 'caducus'"),
        ("strict", "does not say how a model is tuned"),
        ("dnabert2_gue", "has its own epochs for emp"),
        ("bend/enhancers", "knows no set 'enhancers'"),
    ],
)
def test_mistakes_are_one_line(name, message):
    with pytest.raises(InputError, match=message):
        of_protocol(name)
    with pytest.raises(ConfigurationError, match=message):
        study({"x": {"protocol": name}})


def test_what_is_not_short_stays_as_it_is():
    raw = {"adaptations": {"a": {"kind": "full"}}, "runs": [{"adaptations": ["a"]}], "study": "s"}
    assert written_out(raw) == raw
    assert written_out({"adaptations": None}) == {"adaptations": None}


def test_all_models_of_a_run_are_those_that_suit_its_adaptations():
    """Adding a model to a suite is one line."""
    found = study(
        {"full": {"kind": "full"}, "baseline": {"kind": "baseline"}},
        [
            {"tasks": "all", "models": "all", "adaptations": ["full"]},
            {"tasks": ["a"], "models": "all", "adaptations": ["baseline"]},
        ],
        models={"one": {"checkpoint": "any"}, "two": {"checkpoint": "other"}, "gc": {"baseline": "gc_only"}},
    )
    runs, misfits = expand_runs(found)
    assert [(run.model, run.adaptation) for run in runs] == [("one", "full"), ("two", "full"), ("gc", "baseline")]
    assert not misfits


def test_what_differs_from_a_protocol_stands_in_the_record_of_the_run():
    found = study({"x": {"protocol": "hyenadna"}})
    run = expand_runs(found)[0][0]
    settings = run_settings(found, run)
    assert settings["differs"] == ["computed in float32, where it was fp16"]
    half = study({"x": {"protocol": "hyenadna", "train": {"bf16": True}}})
    assert run_settings(half, expand_runs(half)[0][0])["differs"] == ["computed in bfloat16, where it was fp16"]
    assert settings["adaptation"]["train"]["padding"] == "left"
    found = study({"x": {"protocol": "aido_lora/gue"}})
    assert run_settings(found, expand_runs(found)[0][0])["differs"] == []
    found = study({"x": {"protocol": "dnabert2_gue/prom"}})
    assert "fp16" in run_settings(found, expand_runs(found)[0][0])["differs"][0]
    plain = study({"y": {"kind": "full"}})
    assert "differs" not in run_settings(plain, expand_runs(plain)[0][0])
