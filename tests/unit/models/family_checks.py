"""What must hold for every family, as functions that the families' tests call."""

import atexit
import copy
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from glmflow.models import load_model
from glmflow.models.adapted_layers import adapted_layers, merge
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode

SOURCES = Path(__file__).parents[3] / "workflow" / "scripts"
PARITY = 1e-4  # asked of every unpadded position, float32
PADDING = 1e-5  # a sequence alone and in a padded batch


def fixture(name):
    """Return a parity folder, or skip where the test data is not there."""
    root = os.environ.get("GLMFLOW_TEST_DATA")
    if not root or not (folder := Path(root) / "parity" / name).exists():
        pytest.skip(f"no parity fixture {name}: set GLMFLOW_TEST_DATA")
    return folder


def assert_parity(folder, inputs="input_ids"):
    """Logits and states are those of the original implementation."""
    model, expected = load_model(folder), load_file(folder / "io.safetensors")
    mask = expected.get("attention_mask")
    with torch.no_grad():
        found = model(expected[inputs], mask)
    counted = torch.ones(expected[inputs].shape[:2], dtype=torch.bool) if mask is None else mask.bool()
    for name in ("logits", "last_hidden_state"):
        difference = (getattr(found, name) - expected[name])[counted].abs().max()
        assert difference <= PARITY, f"{name}: {difference}"
    return model


def random_batch(model, lengths, vocabulary=None):
    """Return ids and mask of sequences of several lengths, padded on the right."""
    generator = torch.Generator().manual_seed(1)
    size = (len(lengths), max(lengths))
    ids = torch.randint(5, vocabulary or model.card.vocab_size, size, generator=generator)
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    return ids, mask


def assert_padding_changes_nothing(model, batch, mask):
    """Each sequence gives the same alone as in the batch, on whichever side it is padded."""
    with torch.no_grad():
        together = model(batch, mask)
        for index, length in enumerate(mask.sum(1)):
            alone = model(batch[index : index + 1, :length])
            for both, one in zip(together, alone):
                torch.testing.assert_close(both[index, :length], one[0], atol=PADDING, rtol=0)


LOADING = """
import sys, torch
torch.set_num_threads(1)
from glmflow.models import load_model
from glmflow.models.adapted_layers import adapted_layers, merge
for folder in map(str.strip, sys.stdin):
    with torch.no_grad():
        torch.save(load_model(f"{folder}/model")(torch.load(f"{folder}/batch.pt")).logits, f"{folder}/logits.pt")
    print("computed", flush=True)
"""


@lru_cache
def other_process():
    """Start a process that loads models and computes logits; one serves all families, and has made none of the models."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", LOADING], env=environment, **pipes)
    atexit.register(process.communicate)  # closes its input, which ends it
    return process


def assert_survives_saving(model, batch, folder):
    """Another process loads the folder and computes identical logits."""
    model.save(folder / "model")
    torch.save(batch, folder / "batch.pt")
    process = other_process()
    process.stdin.write(f"{folder}\n")
    process.stdin.flush()
    if process.stdout.readline() != "computed\n":
        other_process.cache_clear()  # it has ended: the next test starts another
        pytest.fail("the other process cannot load the model")
    torch.set_num_threads(1)
    with torch.no_grad():
        torch.testing.assert_close(model(batch).logits, torch.load(folder / "logits.pt"), atol=0, rtol=0)


def assert_reloads(model, batch, folder):
    """Saved and loaded in this process: identical logits, every name and shape as before."""
    model.save(folder)
    again = load_model(folder)
    with torch.no_grad():
        torch.testing.assert_close(again(batch).logits, model.eval()(batch).logits, atol=0, rtol=0)
    names = {name: tuple(tensor.shape) for name, tensor in model.network.state_dict().items()}
    assert names == {name: tuple(tensor.shape) for name, tensor in again.network.state_dict().items()}


def gradients(model, batch):
    """Return the gradient of each parameter for a loss on the logits."""
    model.zero_grad()
    model(batch).logits.square().mean().backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def assert_checkpointing_gives_the_same_gradients(model, batch):
    """With gradient checkpointing fewer activations are kept; gradients are the same, what dropout drew included."""
    model.train()

    def kept():
        total = 0

        def count(tensor):
            nonlocal total
            total += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            torch.manual_seed(0)
            found = gradients(model, batch)
        return total, found

    plain_size, plain = kept()
    model.gradient_checkpointing_enable()
    size, checkpointed = kept()
    model.gradient_checkpointing_disable()
    assert size < plain_size / 2
    assert plain.keys() == checkpointed.keys()
    for name in plain:
        torch.testing.assert_close(checkpointed[name], plain[name], atol=1e-6, rtol=1e-5)


def assert_bfloat16_follows_float32(model, batch, folder):
    """Loaded as bfloat16 the states agree to its precision, and a backward pass is finite."""
    model.save(folder)
    half = load_model(folder, dtype="bfloat16")
    states = half(batch).last_hidden_state
    assert states.dtype == torch.bfloat16
    with torch.no_grad():
        expected = model.eval()(batch).last_hidden_state
    assert torch.nn.functional.cosine_similarity(states.float(), expected, dim=-1).min() > 0.99
    states.float().square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in half.parameters())


def assert_lora_trains(model, batch, layers):
    """The card's targets match `layers` linear layers, and each adapted one gets a gradient."""
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(
        copy.deepcopy(model.network), LoraConfig(r=2, target_modules=list(model.card.lora_targets))
    )
    up = {name: p for name, p in adapted.named_parameters() if "lora_B" in name}
    assert len(up) == layers
    adapted.base_model.model.states(batch).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in up.values())


class Largest(TorchDispatchMode):
    """Remembers the number of elements of the largest tensor that any operation returns."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.untyped_storage().nbytes() // tensor.element_size())
        return result


def tokens_of(folder):
    """Return the cases of `tokens.json`."""
    return json.loads((folder / "tokens.json").read_text())


def outputs(model):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(min(model.card.vocab_size, 16), (2, 20), generator=generator)
    with torch.no_grad():
        return model(ids).logits


def folds_in(model, tmp_path):
    """Fold what was adapted into the weights: the outputs stay, and those of the saved model are theirs to the bit."""
    adapted = outputs(model)
    merge(model)
    assert adapted_layers(model.network) == []
    torch.testing.assert_close(outputs(model), adapted, atol=1e-4, rtol=1e-4)
    model.save(tmp_path / "model")
    torch.testing.assert_close(outputs(load_model(tmp_path / "model")), outputs(model), atol=0, rtol=0)
