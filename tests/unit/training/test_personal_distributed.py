"""Personal expression in two processes: what one process learns, where no layer looks at the other examples."""

import json

import pytest
import torch
from glmflow.training.distributed import call
from glmflow.training.personal import finetune_files
from safetensors.torch import load_file
from test_personal_runs import CNN, SMALL, TRAIN, cohort, settings_of  # noqa: F401 (cohort is a fixture)

torch.set_num_threads(1)


def train(cohort, folder, model, gpus):  # noqa: F811
    place, examples, _ = cohort
    adaptation = {
        "kind": "full",
        "personal": {"loss": "mixed", "people": 3},
        "train": TRAIN | {"gpus": gpus, "steps": 3},
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
    return curve, weights, json.loads((folder / "cost.json").read_text())["warnings"]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_people(cohort, tmp_path):  # noqa: F811
    expected, expected_weights, _ = train(cohort, tmp_path / "one", SMALL, 1)
    found, weights, warnings = train(cohort, tmp_path / "two", SMALL, 2)
    assert found == pytest.approx(expected, rel=1e-4) and len(found) == 4
    assert weights.keys() == expected_weights.keys()
    for name, value in expected_weights.items():
        assert torch.allclose(weights[name], value, rtol=1e-3, atol=1e-5), name
    assert not any("batch normalisation" in line for line in warnings)


@pytest.mark.slow
def test_the_promoter_network_says_that_its_processes_are_not_one(cohort, tmp_path):  # noqa: F811
    curve, _, warnings = train(cohort, tmp_path / "two", CNN, 2)
    assert len(curve) == 4 and any("batch normalisation" in line for line in warnings)
