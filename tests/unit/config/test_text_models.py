"""Published text models: their sizes, where they are downloaded to, and what a study may name."""

import json

import pytest
from glmflow.config import check_study, listed_text_models
from glmflow.config.heads.answer_heads import AlleleClassifier, TextAnswers
from glmflow.config.mistakes import ConfigurationError
from glmflow.config.text_models import folder_of, text_shape
from glmflow.errors import InputError


def head(**settings):
    return TextAnswers.model_validate({"kind": "text_answers", **settings})


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("qwen3-0.6b", 596_049_920),
        ("qwen3-1.7b", 1_720_574_976),
        ("qwen3-4b", 4_022_468_096),
        ("qwen3-8b", 8_190_735_360),
    ],
)
def test_sizes_are_the_published_numbers_of_parameters(name, parameters):
    """Numbers of the safetensors of each model's page on the hub."""
    assert text_shape(name).parameters == parameters == head(text=name).frozen()


def test_low_rank_adapters_of_every_linear_layer():
    assert round(text_shape("qwen3-1.7b").adapters(32) / 1e6, 1) == 34.9
    assert round(text_shape("qwen3-4b").adapters(32) / 1e6, 1) == 66.1
    assert head(text="qwen3-4b", dna="none").parameters(8, 1) == text_shape("qwen3-4b").adapters(32)


def test_a_small_model_has_the_parameters_that_are_made():
    from glmflow.models.text.text_loading import new_text_model

    made = new_text_model(330, 16, 2, 2, 0)
    own = head(hidden=16, layers=2, heads=2, vocabulary=330)
    assert own.shape.parameters == sum(one.numel() for one in made.parameters()) and own.frozen() == 0


def test_sizes_of_a_folder(tmp_path):
    assert text_shape(str(tmp_path)) is None
    config = dict(listed_text_models()["qwen3-0.6b"]["config"])
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert text_shape(str(tmp_path)) == text_shape("qwen3-0.6b")
    assert folder_of(str(tmp_path)) == str(tmp_path) and folder_of("qwen3-4b") == "resources/models/qwen3-4b"


def study(text):
    return {
        "study": "s",
        "tasks": {"t": {"kind": "diagnosis", "simulated": {}}},
        "models": {"m": {"new": {"family": "small"}}},
        "adaptations": {"a": {"kind": "full", "head": {"kind": "text_answers", "text": text}}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }


def test_a_named_text_model_is_a_file_of_training_and_prediction():
    found = check_study(study("qwen3-0.6b"))
    (run,) = found.runs_of("t")
    for step in ("train", "predict"):
        assert found.tasks["t"].files(found, "t", step, run)["text"] == "resources/models/qwen3-0.6b"
    assert "text" not in found.tasks["t"].files(found, "t", "score", run)
    assert found.adaptations["a"].head.checkpoints == ("qwen3-0.6b",)
    assert AlleleClassifier(kind="allele_classifier").checkpoints == ()


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match="qwen3-32b is none of"):
        check_study(study("qwen3-32b"))


def test_the_plan_counts_the_text_model():
    from glmflow.plan.jobs import plan

    small, large = (plan(check_study(study(name)), {}, "l40")[0].need for name in ("qwen3-0.6b", "qwen3-4b"))
    assert large.weights_mb - small.weights_mb == pytest.approx(
        (2 * (4_022_468_096 - 596_049_920) + 4 * (large.trainable - small.trainable)) / 2**20, rel=1e-6
    )
    assert large.gpu_mb > 8_000 > small.weights_mb and large.hours > 4 * small.hours


def with_entries(models, **head):
    return {
        "study": "s",
        "tasks": {"t": {"kind": "diagnosis", "simulated": {}, "splits": {"by": "official"}}},
        "models": {"m": {"new": {"family": "promoter_cnn"}}, **models},
        "adaptations": {"a": {"kind": "full", "head": {"kind": "text_answers", **head}}},
        "runs": [{"tasks": ["t"], "models": "all", "adaptations": ["a"]}],
    }


def test_a_text_model_may_be_an_entry_of_the_models():
    study = check_study(with_entries({"qwen": {"text": "qwen3-0.6b"}}, text="qwen"))
    assert set(study.models) == {"m"} and [run.model for run in study.runs_of("t")] == ["m"]
    head = study.adaptations["a"].head_for("answer_text")
    assert head.text == "qwen3-0.6b" and head.checkpoints == ("qwen3-0.6b",)


def test_a_text_model_may_be_pretrained_on_the_questions_of_a_task():
    study = check_study(with_entries({"words": {"text": {"questions": "t", "hidden": 64}}}, text="words"))
    assert set(study.models) == {"m"} and study.texts["words"].hidden == 64
    (run,) = study.runs_of("t")
    for step in ("train", "predict"):
        assert study.tasks["t"].files(study, "t", step, run)["text"] == "results/s/texts/words"
    assert study.adaptations["a"].head_for("answer_text").checkpoints == (), "nothing is downloaded"
    again = check_study(study.model_dump(mode="json", exclude_unset=True))
    assert again.texts == study.texts and again.adaptations == study.adaptations


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_the_plan_counts_a_text_model_that_is_not_pretrained_yet(tuning):
    """By the sizes of its own entry: its folder is made after the plan is read."""
    from glmflow.models.text.text_loading import new_text_model
    from glmflow.plan.jobs import plan

    sizes = {"hidden": 32, "layers": 5, "heads": 2, "vocabulary": 400}
    made = sum(one.numel() for one in new_text_model(400, 32, 5, 2).parameters())
    words = {"words": {"text": {"questions": "t", **sizes}}}
    found = check_study(with_entries(words, text="words", tuning=tuning, dna="none"))
    need = plan(found, {}, "l40")[0].need
    encoder = plan(check_study(with_entries({}, dna="none", **sizes)), {}, "l40")[0].need.parameters - made
    own = found.adaptations["a"].head_for("answer_text").planned(found.results, found.texts)
    assert own.shape.parameters == made and own.frozen() == (0 if tuning == "full" else made)
    assert need.parameters == encoder + (made if tuning == "full" else own.shape.adapters(32))


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"questions": "u"}, "no task 'u' that asks questions; such tasks: t"),
        ({"questions": "t", "hidden": 60, "heads": 4}, "no multiple of twice the heads"),
        ({"question": "t"}, "question"),
    ],
)
def test_a_text_model_that_cannot_be_pretrained_is_refused(block, words):
    with pytest.raises(InputError, match=words):
        check_study(with_entries({"words": {"text": block}}, text="words"))


@pytest.mark.parametrize(
    ("models", "head", "words"),
    [
        ({"qwen": {"text": "qwen3-0.6b"}}, {}, "no head names"),
        ({"qwen": {"text": "qwen3-0.6b"}}, {"text": "other"}, "no head names"),
        ({"qwen": {"text": "qwen3-9b"}}, {"text": "qwen"}, "qwen3-9b is none of"),
        ({"qwen": {"text": "qwen3-0.6b", "new": {"family": "small"}}}, {"text": "qwen"}, "no other key|is none of"),
    ],
)
def test_entries_that_make_no_sense(models, head, words):
    with pytest.raises(InputError, match=words):
        check_study(with_entries(models, **head))


def test_look_ups_are_rivals_of_a_model_that_reads_the_question():
    raw = with_entries({"gene": {"baseline": "answer_lookup"}, "words": {"baseline": "question_tfidf"},
                        "near": {"baseline": "nearest_reference"},
                        "column": {"baseline": {"kind": "answer_column", "column": "phylop"}}})  # fmt: skip
    raw["adaptations"]["b"] = {"kind": "baseline"}
    raw["runs"] = [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]},
                   {"tasks": ["t"], "models": ["gene", "words", "near", "column"], "adaptations": ["b"]}]  # fmt: skip
    study = check_study(raw)
    assert {name for name, one in study.models.items() if one.baseline and one.baseline.told} == {"column"}
