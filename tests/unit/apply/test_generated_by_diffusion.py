"""Sequences drawn by masked diffusion, through the gate: of the seed alone, behind their prompts, longer than the context."""

import gzip

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.cli import main
from glmflow.models import load_model, new_model
from glmflow.models.diffusion_generation import fill_in

CONFIG = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 48}


@pytest.fixture
def model(tmp_path):
    made = new_model("dit", CONFIG, seed=3)
    made.origin["objective"] = "masked_diffusion"
    made.save(tmp_path / "model")
    (tmp_path / "prompts.fa").write_text(">one\nACGTTGCAACGT\n>two\nggcc\n")
    return tmp_path / "model"


def generate(model, name, *more, prompts=True):
    given = ["generate", "--model", str(model), "--n", "2", "--length", "70", "--output", str(model.parent / name)]
    given += ["--prompts", str(model.parent / "prompts.fa")] if prompts else []
    return main([*given, *map(str, more)])


def test_the_same_bytes_for_any_batch_and_only_bases(model):
    for name, batch in (("a", 1), ("b", 3)):
        assert generate(model, name, "--batch", batch, "--unscreened", "a random model", "--steps", 5) == 0
    files = [(model.parent / name / "sequences.fa.gz").read_bytes() for name in "ab"]
    assert files[0] == files[1]
    sequences = gzip.decompress(files[0]).decode().split()[1::2]
    assert [len(one) for one in sequences] == [70] * 4 and set("".join(sequences)) == set("ACGT")
    assert len(set(sequences)) == 4
    assert pd.read_parquet(model.parent / "a/sequences.parquet")["log_likelihood"].isna().all()


def test_without_a_prompt_and_what_is_of_causal_models_alone(model, capsys):
    assert generate(model, "c", "--unscreened", "a random model", "--steps", 4, prompts=False) == 0
    assert generate(model, "d", "--unscreened", "a random model", "--top-k", 2) == 1
    assert "by temperature alone" in capsys.readouterr().err
    causal = new_model("small", {"causal": True, "hidden_size": 8, "num_heads": 1, "context": 64})
    causal.save(model.parent / "causal")
    assert generate(model.parent / "causal", "e", "--unscreened", "a random model", "--steps", 2) == 1
    assert "in no steps" in capsys.readouterr().err
    plain = new_model("dit", CONFIG)
    plain.save(model.parent / "plain")
    assert generate(model.parent / "plain", "f", "--unscreened", "a random model") == 1


def test_what_is_blocked_is_not_written(model):
    assert generate(model, "g", "--unscreened", "a random model", "--steps", 5) == 0
    first = gzip.decompress((model.parent / "g/sequences.fa.gz").read_bytes()).decode().split()[1]
    (model.parent / "hazard.fa").write_text(f">h\n{first}\n")
    generate(model, "h", "--hazard", model.parent / "hazard.fa", "--steps", 5)
    written = gzip.decompress((model.parent / "h/sequences.fa.gz").read_bytes()).decode()
    assert first not in written


def test_shares_of_a_network_that_looks_at_nothing_are_drawn(model):
    adapter = load_model(model)
    shares = torch.tensor([1e-9, 1e-9, 0.4, 0.3, 0.2, 0.1, 1e-9, 1e-9])
    adapter.network.logits = lambda states: shares.log().expand(*states.shape[:2], 8)
    adapter.hidden_states = lambda ids, mask=None: torch.zeros(*ids.shape, 16)
    text = "".join(fill_in(adapter, "ACGT", 400, 1.0, 16, (1, number)) for number in range(10))
    found = np.array([text.count(base) for base in "ACGT"]) / len(text)
    assert found == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=4 * 0.5 / len(text) ** 0.5)
    cold = fill_in(adapter, "ACGT", 100, 0.01, 16, (1, 1))
    assert cold == "A" * 100
