"""Personal expression in two processes: what one process learns."""

import json

import pytest
import torch
from glmflow.training.distributed import call
from glmflow.training.personal import finetune_files
from safetensors.torch import load_file
from test_personal_runs import CNN, SMALL, TRAIN, cohort, settings_of  # noqa: F401 (cohort is a fixture)

torch.set_num_threads(1)


def train(cohort, folder, model, gpus, micro_batch=1):  # noqa: F811
    place, examples, _ = cohort
    adaptation = {
        "kind": "full",
        "personal": {"loss": "mixed", "people": 3},
        "train": TRAIN | {"gpus": gpus, "steps": 3, "micro_batch": micro_batch},
    }
    arguments = {
        "settings": settings_of(model, adaptation),
        "examples": examples,
        "store": str(place / "store"),
        "reference": str(place / "made/genome.fa"),
        "checkpoint": None,
        "folder": folder,
    }
    call(finetune_files, arguments, gpus, 1, folder)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    curve = {(line["step"], key): line[key] for line in lines for key in ("loss", "eval_loss") if key in line}
    weights = {
        (path.name, name): value
        for path in (folder / "model").glob("*.safetensors")
        for name, value in load_file(path).items()
    }
    return curve, weights


@pytest.mark.slow
@pytest.mark.parametrize(("model", "together"), [(SMALL, 1), (CNN, 2)], ids=["small", "cnn"])
def test_two_processes_learn_what_one_learns_from_people(cohort, tmp_path, model, together):  # noqa: F811
    """Batch normalisation (of the CNN) takes in what is in all processes at a time: two genes, here as there."""
    expected, expected_weights = train(cohort, tmp_path / "one", model, 1, together)
    found, weights = train(cohort, tmp_path / "two", model, 2)
    if together > 1:  # the loss of people is evaluated in batches of so many genes
        del found[3, "eval_loss"], expected[3, "eval_loss"]
    assert found == pytest.approx(expected, rel=1e-4) and len(found) >= 3
    assert weights.keys() == expected_weights.keys()
    # The gradient of a bias before a normalisation is rounding error, which Adam makes steps of; the running mean follows.
    idle = {("model.safetensors", name) for name in ("around.bias", "norm_2.running_mean")}
    for name in expected_weights.keys() - idle:
        assert torch.allclose(weights[name], expected_weights[name], rtol=1e-3, atol=1e-5), name
