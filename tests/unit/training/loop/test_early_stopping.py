"""Which evaluation is best, by the loss or a metric; when training stops; how the rate warms up and falls at a plateau."""

import json

import pytest
import torch
from glmflow.config.adaptations import Adaptation, Training, tried
from glmflow.config.validation_metrics import REPORTED
from glmflow.errors import HopelessError
from glmflow.modules import module
from glmflow.training.loop.trainer import stale
from glmflow.training.sweep import choose
from pydantic import ValidationError
from tiny_run import TRAINING, run, weights

BEST = TRAINING.model_copy(update={"keep": "best"})


class Scripted:
    """An evaluation whose metric is given, with a loss that says the opposite, and the weights that it saw."""

    def __init__(self, *values):
        self.values, self.seen = list(values), []

    def __call__(self, model):
        self.seen.append(weights(model))
        value = self.values[len(self.seen) - 1]
        return {"loss": value, "auroc": value}


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("loss", (3, 2, 1), 0), ("loss", (1, 2, 3), 2), ("loss", (2, 1, 1, 1), 2), ("loss", (), 0),
        ("auroc", (3, 2, 1), 2), ("auroc", (1, 2, 3), 0), ("auroc", (1, float("nan"), 0.5), 2),
    ],
)  # fmt: skip
def test_evaluations_since_the_best_one(metric, values, expected):
    history = [{"loss": 9.0}, *({"step": n, f"eval_{metric}": value} for n, value in enumerate(values))]
    assert stale(history, metric) == expected


def test_a_run_stops_when_evaluations_bring_nothing_better(tmp_path):
    evaluate = Scripted(1.0, 2.0, 3.0)
    model, fitted = run(tmp_path, BEST.model_copy(update={"patience": 1}), evaluate_model=evaluate)
    assert len(evaluate.seen) == 2 and fitted.updates == 4 and fitted.kept_update == 2
    assert all(torch.equal(weights(model)[name], value) for name, value in evaluate.seen[0].items())
    steps = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert max(steps) == 4


def test_a_run_goes_on_while_it_gets_better(tmp_path):
    _, fitted = run(tmp_path, BEST.model_copy(update={"patience": 1}), evaluate_model=Scripted(3.0, 2.0, 1.0))
    assert fitted.updates == fitted.kept_update == 6


def test_more_is_better_of_a_metric(tmp_path):
    evaluate = Scripted(0.6, 0.9, 0.7)
    model, fitted = run(tmp_path, BEST.model_copy(update={"best_by": "auroc"}), evaluate_model=evaluate)
    assert fitted.kept_update == 4
    assert all(torch.equal(weights(model)[name], value) for name, value in evaluate.seen[1].items())


def test_a_metric_that_validation_lacks_stops_the_run_at_its_first_evaluation(tmp_path):
    with pytest.raises(HopelessError, match=r"has no mcc to choose by \(it has loss, auroc\)"):
        run(tmp_path, BEST.model_copy(update={"best_by": "mcc"}), evaluate_model=Scripted(1.0, 1.0, 1.0))


def test_the_rate_is_halved_at_a_plateau(tmp_path):
    training = TRAINING.model_copy(update={"schedule": "plateau", "evaluations": 6, "warmup": 0.0})
    run(tmp_path, training, evaluate_model=Scripted(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    lines = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    rates = [line["learning_rate"] for line in lines if "learning_rate" in line]
    # Of two evaluations in a row that bring nothing the second halves it: that of the third update, and of the fifth.
    assert [round(rate / training.learning_rate, 6) for rate in rates] == [1, 1, 1, 0.5, 0.5, 0.25]


def test_warm_up_is_a_share_or_a_number_of_updates():
    assert Training(warmup=0.1).warmup_updates(25) == 3 and Training(warmup=50).warmup_updates(1000) == 50
    assert Training(warmup=50).warmup_updates(20) == 20 and Training(warmup=0).warmup_updates(20) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patience": 3}, "keep: best"),
        ({"schedule": "plateau", "evaluations": 0}, "looks at evaluations"),
        ({"schedule": "plateau", "warmup": 0.1}, "no warm-up"),
        ({"warmup": 2.5}, "neither a share nor a number"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Training(**settings)


def test_layers_are_swept_and_belong_to_probes():
    swept = Adaptation(kind="probe", sweep={"layer": [1, 2], "learning_rate": [0.1]})
    one = tried(swept, {"layer": 2, "learning_rate": 0.1})
    assert (one.layer, one.train.learning_rate, one.sweep) == (2, 0.1, None)
    for settings, message in (
        ({"kind": "full", "layer": 2}, "read by kind probe"),
        ({"kind": "probe", "layer": 0}, "count from 1"),
        ({"kind": "probe", "sweep": {"best_by": ["loss"]}}, "compared by one metric"),
    ):
        with pytest.raises(ValidationError, match=message):
            Adaptation(**settings)


def test_the_best_trial_is_that_of_the_metric(tmp_path):
    for number, value in enumerate((0.6, 0.9, 0.7)):
        folder = tmp_path / str(number)
        (folder / "model").mkdir(parents=True)
        (folder / "metrics.jsonl").write_text(
            json.dumps({"step": 1, "eval_loss": 1 + value, "eval_auroc": value}) + "\n"
        )
        (folder / "cost.json").write_text(json.dumps({"train_seconds": 1, "warnings": [], "kept_update": 1}))
        (folder / "run.yaml").write_text(f"trial: {number}\n")
    folders, trials = [tmp_path / str(number) for number in range(3)], [{"layer": number + 1} for number in range(3)]
    for metric, chosen in (("auroc", 1), ("loss", 0)):
        choose(folders, trials, tmp_path / metric, metric)
        assert (tmp_path / metric / "run.yaml").read_text() == f"trial: {chosen}\n"


@pytest.mark.parametrize("target", sorted(REPORTED))
def test_what_may_choose_is_what_a_target_reports(target):
    """The words of the target's own docstring: each metric is named in it."""
    words = module("glmflow.training.targets", target).TARGET.metrics.__doc__
    assert all(f"`{name}`" in words for name in REPORTED[target])
