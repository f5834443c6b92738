"""Extending and tuning a model: saved, loaded in a fresh process and resumed, it is the same for every method."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pysam
import pytest
import torch
import yaml
from glmflow.context import METHODS
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.interface import NotSupportedError
from glmflow.training import extend
from glmflow.training.extend import extend_model, extended_batch

ORIGINAL, FACTOR, LENGTH = 32, 4, 64
SETTINGS = {"longrope": {"long_factor": [1.0, 1.5, 2.0, 4.0]}, "pose": {"frequencies": "yarn"}}
REGIONS = pd.DataFrame(
    [("a", 0, 3000, "train"), ("b", 0, 1000, "validation")], columns=["chrom", "start", "end", "split"]
)
NOT_SLOW = {"gene", "clex", "overstretch"}


def by_method(names):
    return [pytest.param(name, marks=() if name in NOT_SLOW else pytest.mark.slow) for name in names]


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    rng = np.random.default_rng(0)
    path.write_text("".join(f">{name}\n{''.join(rng.choice(list('ACGT'), 3000))}\n" for name in "ab"))
    pysam.faidx(str(path))
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "model"
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "convolution": 3, "context": ORIGINAL}
    new_model("small", {**size, "causal": False}, seed=1).save(folder)
    return folder


def block(method, **changes):
    return {
        "model": "base",
        "method": method,
        "factor": FACTOR,
        "settings": SETTINGS.get(method, {}),
        "length": LENGTH,
        "batch": 4,
        "micro_batch": 2,
        "learning_rate": 1e-2,
        "steps": 4,
        **changes,
    }


def make(settings, base, genome, folder):
    extend_model(settings, base, REGIONS, genome, 3, folder / "training", folder / "model")
    return folder / "model"


def logits(folder):
    model = load_model(folder)
    ids = torch.randint(2, 6, (2, FACTOR * ORIGINAL), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return model(ids).logits


FRESH = """
import sys, torch
from glmflow.models import load_model
ids = torch.randint(2, 6, (2, int(sys.argv[2])), generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    torch.save(load_model(sys.argv[1])(ids).logits, sys.argv[3])
"""


@pytest.mark.parametrize("method", by_method(METHODS))
def test_tuned_saved_and_resumed_it_is_the_same_model(method, base, genome, tmp_path, monkeypatch):
    whole = make(block(method), base, genome, tmp_path / "whole")
    kept = []
    save = extend.Adapter.save

    def save_and_compute(adapter, folder):
        save(adapter, folder)
        ids = torch.randint(2, 6, (2, FACTOR * ORIGINAL), generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            kept.append(adapter.eval()(ids).logits)

    loss, calls = extend.cross_entropy, []

    def interrupted(*args, **kwargs):
        calls.append(None)
        if len(calls) == 6:  # in the second micro-batch of the third update
            signal.raise_signal(signal.SIGTERM)
        return loss(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(extend, "cross_entropy", interrupted)
        with pytest.raises(SystemExit):
            make(block(method), base, genome, tmp_path / "resumed")
    monkeypatch.setattr(extend.Adapter, "save", save_and_compute)
    resumed = make(block(method), base, genome, tmp_path / "resumed")
    assert json.loads((tmp_path / "resumed/training/cost.json").read_text())["resumed_from"] > 0
    assert torch.equal(logits(resumed), logits(whole))
    assert torch.equal(kept[0], logits(whole)), "in memory and loaded again"
    assert not torch.equal(logits(whole), logits(base)), "nothing was tuned"


@pytest.mark.parametrize("method", [pytest.param("yarn", marks=pytest.mark.slow), "clex"])
def test_loads_in_a_fresh_process_and_tells_how_it_was_extended(method, base, genome, tmp_path):
    folder = make(block(method), base, genome, tmp_path)
    record = yaml.safe_load((folder / "model.yaml").read_text())
    extension = record["extension"]
    assert (extension["method"], extension["factor"], extension["original_length"]) == (method, FACTOR, ORIGINAL)
    assert load_model(folder).card.context_bp == FACTOR * ORIGINAL
    arguments = [sys.executable, "-c", FRESH, folder, str(FACTOR * ORIGINAL), tmp_path / "logits.pt"]
    subprocess.run(list(map(str, arguments)), check=True)
    assert torch.equal(torch.load(tmp_path / "logits.pt"), logits(folder))


@pytest.mark.parametrize("method", METHODS)
def test_a_factor_of_one_at_once_is_the_model_itself(method, base, genome, tmp_path):
    settings = {"long_factor": [1.0] * 4} if method == "longrope" else SETTINGS.get(method, {})
    made = make(block(method, factor=1, steps=0, settings=settings), base, genome, tmp_path)
    ids = torch.randint(2, 6, (2, ORIGINAL))
    with torch.no_grad():
        torch.testing.assert_close(load_model(made)(ids).logits, load_model(base)(ids).logits, atol=1e-5, rtol=0)


def test_lora_trains_few_weights_and_is_folded_in(base, genome, tmp_path):
    folder = make(block("clex", kind="lora", rank=2), base, genome, tmp_path)
    cost = json.loads((tmp_path / "training/cost.json").read_text())
    assert cost["trainable_parameters"] < cost["parameters"] / 2
    learned = load_model(folder)
    assert not any("lora" in name for name, _ in learned.named_parameters())
    fields = [value for name, value in learned.named_parameters() if name.endswith("extension_field.down.weight")]
    assert fields and fields[0].abs().max() > 0, "the learned frequencies are tuned beside the adapters"


def test_all_micro_batches_of_an_update_share_what_is_drawn():
    adapter = new_model("small", {"hidden_size": 16, "num_heads": 2, "context": LENGTH}, seed=1)
    rng = np.random.default_rng(0)

    def items(update):
        return [{"sequence": "ACGT" * 16, "noise": rng.random((2, LENGTH)), "update": update} for _ in range(2)]

    def draw(length, generator):
        return extend.sampler("pose", FACTOR, ORIGINAL)(length, generator)

    batches = [extended_batch(items(update), adapter, 0.15, draw, 3)["position_ids"] for update in (0, 0, 1)]
    assert torch.equal(batches[0], batches[1]) and not torch.equal(batches[1], batches[2])
    assert batches[0].shape == (2, LENGTH) and batches[0].max() < FACTOR * ORIGINAL


LLAMA = {
    **{"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"max_position_embeddings": ORIGINAL, "rope_theta": 10_000.0},
}
WITH_OWN_CLASSES = {
    "generator": {**LLAMA, "vocab_size": 4128},
    "genos": {**LLAMA, "vocab_size": 128, "num_local_experts": 2, "num_experts_per_tok": 1, "num_key_value_heads": 1},
    "nucleotide_transformer": {
        **{**LLAMA, "max_position_embeddings": ORIGINAL + 2, "vocab_size": 4107, "add_bias_fnn": False},
        **{"position_embedding_type": "rotary", "pad_token_id": 1, "mask_token_id": 2, "token_dropout": False},
    },
}


@pytest.mark.parametrize("family", WITH_OWN_CLASSES)
@pytest.mark.parametrize("form", ["rerope", "dual_chunk"])
def test_an_attention_form_is_at_work_in_the_model_that_is_saved(family, form, genome, tmp_path):
    plain = new_model(family, WITH_OWN_CLASSES[family], seed=1)
    for parameter in plain.parameters():  # wide enough that attention depends on distances
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    plain.save(tmp_path / "base")
    settings = block("yarn", steps=0, attention={"form": form, "window": 8})
    with_form = make(settings, tmp_path / "base", genome, tmp_path / "form")
    without = make(block("yarn", steps=0), tmp_path / "base", genome, tmp_path / "without")

    def states(folder, tokens):
        ids = torch.randint(40, 60, (1, tokens), generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            return load_model(folder).hidden_states(ids)

    # No two of 8 tokens are farther apart than the window, or in different chunks.
    torch.testing.assert_close(states(with_form, 8), states(without, 8), atol=1e-4, rtol=0)
    assert (states(with_form, 60) - states(without, 60)).abs().max() > 1e-2
    with pytest.raises(ValueError, match="while tuning, pose draws positions and `rerope` counts its own"):
        extend.Extend.model_validate(block("pose", attention={"form": "rerope"}))


def test_drawn_positions_are_kept_from_layers_of_local_attention():
    size = {"vocab_size": 8, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    special = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
    model = new_model("modernbert", {**size, **special, "num_attention_heads": 2, "max_position_embeddings": 64})
    ids = torch.ones(1, 16, dtype=torch.int64)
    with pytest.raises(NotSupportedError, match=r"modernbert does not support positions of your own.*local attention"):
        model.hidden_states(ids, None, 3 * torch.arange(16)[None])


def test_a_model_without_rotary_positions_is_refused_by_name(genome, tmp_path):
    new_model("dilated_cnn", {}, seed=1).save(tmp_path / "cnn")
    with pytest.raises(InputError, match="dilated"):
        make(block("yarn", steps=0), tmp_path / "cnn", genome, tmp_path)


def test_without_tuning_no_training_library_is_loaded(base, genome, tmp_path):
    # Their import takes longer than all that a zero-shot extension and its losses do: a study has dozens of such jobs.
    task = {
        "kind": "context_extension",
        "contexts": [32, 64],
        "scored": 8,
        "recall": {"distances": [32], "segment": 16},
    }
    settings = {"task": task, "adaptation": {"kind": "zero-shot"}, "seed": 1}
    code = (
        "import sys; from pathlib import Path; from glmflow.training.extend import extend_model\n"
        "from glmflow.training.predict import predict\n"
        "import pandas as pd\n"
        f"settings = {block('yarn', steps=0)!r}\n"
        f"out = Path({str(tmp_path)!r})\n"
        f"extend_model(settings, Path({str(base)!r}), None, Path({str(genome)!r}), 1, out / 'run', out / 'model')\n"
        "row = {'example': 'a', 'split': 'test', 'subset': 'loss', 'group': 'a', 'sequence': 'ACGT' * 16, 'scored': 8}\n"
        f"predict({settings!r}, pd.DataFrame([row]), {{}}, out / 'model', out)\n"
        "predictions = pd.read_parquet(out / 'predictions.parquet')\n"
        "print(len(predictions), sorted({'transformers', 'peft', 'accelerate', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "2 []"
