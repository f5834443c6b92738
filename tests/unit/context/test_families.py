"""The patcher on every family of published models, from tiny checkpoints with their configurations."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from glmflow.context import extend, extension_of
from glmflow.errors import InputError
from glmflow.models import load_model
from safetensors.torch import load_file
from torch import nn

ROTARY = {
    "aido-dna": (10_000.0, 1.0),
    "evo2": (10_000.0, 1 / 128),
    "generator": (500_000.0, 1.0),
    "genos": None,
    "modernbert": (160_000.0, 1.0),
    "nt-v2": (10_000.0, 1.0),
    "olmo-bpe": None,
    "omni-dna": None,
}
OTHERS = {
    "caduceus-ph": "it uses a state-space recurrence",
    "dnabert2": "none of its modules has `inv_freq`",  # its slopes are constants, which nothing shows
    "gena-bert": "it uses learned absolute positions",
    "grover": "it uses learned absolute positions",
    "hyenadna": "it uses implicit convolution filters",
    "nt-v1": "it uses learned absolute positions",
}

pytestmark = pytest.mark.real


def load(name):
    root = os.environ.get("GLMFLOW_TEST_DATA")
    if not root or not (folder := Path(root) / "parity" / name).exists():
        pytest.skip(f"no parity fixture {name}: set GLMFLOW_TEST_DATA")
    return load_model(folder), load_file(folder / "io.safetensors")


def logits(model, batch):
    with torch.no_grad():
        return model(batch["input_ids"], batch.get("attention_mask")).logits


@pytest.mark.parametrize("name", ROTARY)
def test_every_rotary_family(name, tmp_path):
    model, batch = load(name)
    before, length = logits(model, batch), batch["input_ids"].shape[1]
    pairs = extend(model.network, "none", 1, length).rotary.head_dim // 2
    divisors = {"long_factor": np.linspace(1.5, 4, pairs)}
    # One of each kind: fixed frequencies, following the length, learned, with settings.
    for method, settings in {"yarn": {}, "dynamic_ntk": {}, "clex": {}, "longrope": divisors}.items():
        extend(model.network, method, 1, length, **settings)
        torch.testing.assert_close(logits(model, batch), before, atol=5e-5, rtol=0)

        original = max(8, length // 4)
        extension = extend(model.network, method, 4, original, **settings)
        if ROTARY[name]:
            assert (extension.settings["base"], extension.settings["unit"]) == pytest.approx(ROTARY[name])
        if extension.field is not None:
            nn.init.normal_(extension.field.down.weight, std=0.02)
        stretched = logits(model, batch)
        assert not torch.equal(stretched, before)
        model.save(tmp_path / method)
        assert torch.equal(logits(load_model(tmp_path / method), batch), stretched)
        extension_of(model.network).restore()
        assert torch.equal(logits(model, batch), before)


@pytest.mark.parametrize("name", OTHERS)
def test_other_families_are_refused_by_name(name):
    model, _ = load(name)
    with pytest.raises(InputError, match=f"has no rotary positions to extend: {OTHERS[name]}"):
        extend(model.network, "yarn", 4, 512)
