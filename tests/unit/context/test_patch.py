"""The patcher on transformers' own models and on modules of our own shape."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import tiny
import torch
from glmflow.context import METHODS, extend, extension_of, inverse_frequencies, reapply
from glmflow.context.patch import find_rotary
from glmflow.errors import InputError
from safetensors.torch import load_file
from torch import nn
from transformers import BertConfig, BertModel, EsmConfig, EsmModel, LlamaConfig, LlamaForCausalLM

FACTOR = 4
LONG = FACTOR * tiny.LENGTH


def settings_for(method, head_dim=16):
    return {"long_factor": list(np.linspace(1, 4, head_dim // 2))} if method == "longrope" else {}


@pytest.mark.parametrize("name", tiny.MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_factor_one_leaves_the_logits_unchanged(name, method):
    model = tiny.build(name)
    before = tiny.logits(model)
    extend(model, method, 1, tiny.LENGTH, **settings_for(method))
    torch.testing.assert_close(tiny.logits(model), before, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", tiny.MODELS)
@pytest.mark.parametrize("method", [method for method in METHODS if method != "none"])
def test_a_larger_factor_changes_long_input_and_restoring_undoes_it(name, method):
    model = tiny.build(name)
    before = tiny.logits(model, LONG)
    extension = extend(model, method, FACTOR, tiny.LENGTH, **settings_for(method))
    assert (tiny.logits(model, LONG) - before).abs().max() > 1e-3
    assert extension_of(model) is extension
    extension.restore()
    assert torch.equal(tiny.logits(model, LONG), before)
    assert extension_of(model) is None
    assert not hasattr(getattr(model, "config", None), "extension")


@pytest.mark.parametrize("name", tiny.MODELS)
def test_reads_base_and_unit_off_the_model(name):
    settings = extend(tiny.build(name), "pi", FACTOR, tiny.LENGTH).settings
    assert settings == {
        "method": "pi",
        "factor": FACTOR,
        "original_length": tiny.LENGTH,
        "base": tiny.BASE.get(name, 10_000.0),
        "unit": 1 / 4 if name == "own_divided" else 1.0,
    }


@pytest.mark.parametrize("rope_type, method", [("linear", "pi"), ("yarn", "yarn"), ("dynamic", "dynamic_ntk")])
def test_equals_transformers_configured_for_it(rope_type, method):
    model = tiny.build("llama")
    config = copy.deepcopy(model.config)
    config.rope_parameters = {
        **config.rope_parameters,
        "rope_type": rope_type,
        "factor": FACTOR,
        "original_max_position_embeddings": tiny.LENGTH,
    }
    configured = LlamaForCausalLM(config).eval()
    configured.load_state_dict(model.state_dict())
    extend(model, method, FACTOR, tiny.LENGTH)
    torch.testing.assert_close(tiny.logits(model, LONG), tiny.logits(configured, LONG), atol=1e-4, rtol=0)


def test_position_interpolation_is_dividing_positions():
    for name in ("llama", "esm", "modernbert"):
        model = tiny.build(name)
        if name == "modernbert":  # its local layers are left alone
            assert [table.prefix for table in find_rotary(model)] == ["full_attention_"]
            continue
        extend(model, "pi", FACTOR, tiny.LENGTH)
        stretched = tiny.logits(model, position_ids=FACTOR * torch.arange(tiny.LENGTH)[None])
        extension_of(model).restore()
        torch.testing.assert_close(stretched, tiny.logits(model), atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", ["llama", "esm", "modernbert", "own"])
def test_the_attention_factor_scales_logits_of_attention_by_its_square(name):
    model = tiny.build(name)
    by_factor = copy.deepcopy(model)
    extend(by_factor, "yarn", 1, tiny.LENGTH, attention_factor=1.5)
    for module_name, module in model.named_modules():
        width = module.out_features if isinstance(module, nn.Linear) else 0
        local = name == "modernbert" and ".0." not in module_name  # layer 0 attends globally
        if module_name.endswith(("q_proj", "self.query")):
            scale_rows(module, slice(0, width))
        elif module_name.endswith(("Wqkv", "qkv")) and not local:
            scale_rows(module, slice(0, width // 3))
    torch.testing.assert_close(tiny.logits(by_factor), tiny.logits(model), atol=1e-4, rtol=0)


def scale_rows(linear, rows):
    with torch.no_grad():
        linear.weight[rows] *= 1.5**2
        if linear.bias is not None:
            linear.bias[rows] *= 1.5**2


@pytest.mark.parametrize("name", ["llama", "modernbert", "own"])
def test_length_dependent_frequencies_follow_each_input(name):
    model = tiny.build(name)
    short, long = tiny.logits(model), tiny.logits(model, LONG)
    extend(model, "dynamic_ntk", 1, tiny.LENGTH)
    assert (tiny.logits(model, LONG) - long).abs().max() > 1e-3
    torch.testing.assert_close(tiny.logits(model), short, atol=2e-5, rtol=0)
    table = find_rotary(model)[0]
    extension_of(model).set_scale(None)
    tiny.logits(model, LONG)
    base = tiny.BASE.get(name, 10_000.0)
    expected, _ = inverse_frequencies("dynamic_ntk", 16, base, tiny.LENGTH, 1, length=LONG)
    np.testing.assert_array_equal(table.frequencies.numpy(), expected)


def test_a_drawn_scale_holds_until_it_is_taken_back():
    model = tiny.build("llama")
    extension = extend(model, "gene", FACTOR, tiny.LENGTH)
    at_test = tiny.logits(model, LONG)
    extension.set_scale(2)
    tiny.logits(model, LONG)
    expected, _ = inverse_frequencies("gene", 16, 10_000, tiny.LENGTH, FACTOR, scale=2)
    np.testing.assert_array_equal(find_rotary(model)[0].frequencies.numpy(), expected)
    extension.set_scale(None)
    assert torch.equal(tiny.logits(model, LONG), at_test)


def test_extending_twice_starts_from_the_trained_frequencies():
    model, once = tiny.build("esm"), tiny.build("esm")
    extend(model, "ntk", 16, tiny.LENGTH)
    extend(model, "yarn", FACTOR, tiny.LENGTH)
    extend(once, "yarn", FACTOR, tiny.LENGTH)
    assert torch.equal(tiny.logits(model, LONG), tiny.logits(once, LONG))


def test_a_copy_is_patched_apart_from_its_original():
    model = tiny.build("own")
    extend(model, "dynamic_ntk", 1, tiny.LENGTH)
    twin = copy.deepcopy(model)
    extension_of(twin).restore()
    before = tiny.logits(tiny.build("own"), LONG)
    assert torch.equal(tiny.logits(twin, LONG), before)
    assert not torch.equal(tiny.logits(model, LONG), before)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["llama", "mixtral", "esm", "modernbert"])
def test_saved_and_loaded_again_gives_the_same_logits(name, method, tmp_path):
    model = tiny.build(name)
    extension = extend(model, method, FACTOR, tiny.LENGTH, **settings_for(method))
    if extension.field is not None:
        nn.init.normal_(extension.field.down.weight, std=0.02)
    expected = tiny.logits(model, LONG)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    reapply(again, again.config.extension, load_file(tmp_path / "model.safetensors"))
    assert torch.equal(tiny.logits(again, LONG), expected)


@pytest.mark.slow
def test_saved_and_loaded_in_a_fresh_process(tmp_path):
    for name in ("esm", "llama"):
        for method in METHODS:
            folder = tmp_path / name / method
            model = tiny.build(name)
            extend(model, method, FACTOR, tiny.LENGTH, **settings_for(method))
            model.save_pretrained(folder)
            torch.save(tiny.logits(model, LONG), folder / "expected.pt")
    program = """
import sys, pathlib, torch, tiny
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, EsmForMaskedLM, LlamaForCausalLM
from glmflow.context import reapply
for folder in sorted(pathlib.Path(sys.argv[1]).glob("*/*")):
    kind = EsmForMaskedLM if folder.parent.name == "esm" else LlamaForCausalLM
    model = kind.from_pretrained(folder).eval()
    reapply(model, model.config.extension, load_file(folder / "model.safetensors"))
    assert torch.equal(tiny.logits(model, 256), torch.load(folder / "expected.pt")), folder
    print(folder)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2 * len(METHODS)


def test_bfloat16_models_keep_float32_frequencies():
    model = tiny.build("llama").to(torch.bfloat16)
    extend(model, "pi", 3, tiny.LENGTH, base=10_000)
    frequencies = find_rotary(model)[0].frequencies
    assert frequencies.dtype == torch.float32
    expected = inverse_frequencies("pi", 16, 10_000, tiny.LENGTH, 3)[0]
    np.testing.assert_array_equal(frequencies.numpy(), expected)


def hyena():
    class HyenaFilter(nn.Module):
        pass

    return nn.Sequential(HyenaFilter(), nn.Linear(2, 2))


def convolutions():
    return nn.Sequential(nn.Conv1d(4, 4, 9, dilation=2))


def absolute_esm():
    return EsmModel(EsmConfig(**tiny.SIZES, num_attention_heads=2, pad_token_id=1, mask_token_id=2))


def bert():
    return BertModel(BertConfig(**tiny.SIZES, num_attention_heads=2))


@pytest.mark.parametrize(
    "make, message",
    [
        (absolute_esm, "EsmModel has no rotary positions.*learned absolute.*Interpolate their table"),
        (bert, "BertModel has no rotary positions.*learned absolute"),
        (hyena, "Sequential.*implicit convolution filters.*longer filters"),
        (convolutions, "convolutions, whose reach is their receptive field"),
        (lambda: nn.Linear(2, 2), "Linear has no rotary positions to extend: none of its modules"),
    ],
)
def test_refuses_models_without_rotary_positions_by_name(make, message):
    with pytest.raises(InputError, match=message):
        extend(make(), "pi", 2, 512)


@pytest.mark.parametrize("rope_type, message", [("yarn", "no geometric series"), ("dynamic", "its own configuration")])
def test_refuses_a_model_that_is_extended_already(rope_type, message):
    config = LlamaConfig(**tiny.SIZES, num_attention_heads=2, max_position_embeddings=tiny.LENGTH)
    config.rope_parameters = {
        **config.rope_parameters,
        "rope_type": rope_type,
        "factor": 8.0,
        "original_max_position_embeddings": 32,
    }
    with pytest.raises(InputError, match=message):
        extend(LlamaForCausalLM(config), "pi", 2, tiny.LENGTH)


def test_refuses_an_attention_factor_that_a_module_cannot_take():
    class Angles(nn.Module):
        def __init__(self):
            super().__init__()
            self.inv_freq = 10_000 ** (-torch.arange(0, 8, 2) / 8)

        def forward(self, position_ids):
            return position_ids[..., None] * self.inv_freq

    model = Angles()
    extend(model, "pi", 2, 16)
    torch.testing.assert_close(model(torch.tensor([2])), model.inv_freq[None] * 2)
    extend(model, "yarn", 2, 16)
    with pytest.raises(InputError, match="cannot take an attention factor"):
        model(torch.arange(4))


def test_skipped_positions_need_an_attention_mask_in_transformers():
    # Why sampling.py asks for one: without it each skip starts another packed sequence.
    model = tiny.build("llama")
    ids = torch.randint(3, 8, (1, 32), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, 0] = (ids[0, 0] - 3 + 1) % 5 + 3
    positions = torch.cat([torch.arange(16), 200 + torch.arange(16)])[None]

    def reach(**inputs):
        with torch.no_grad():
            one = model(ids, position_ids=positions, use_cache=False, **inputs).logits
            other = model(changed, position_ids=positions, use_cache=False, **inputs).logits
        return (one - other)[0, -1].abs().max()

    assert reach() == 0
    assert reach(attention_mask=torch.ones_like(ids)) > 1e-4
