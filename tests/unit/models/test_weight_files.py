"""Weights as training scripts and downloads leave them: old formats, wrappers' prefixes, damaged files."""

import json

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families.olmo import AI2
from glmflow.models.heads.coverage_heads import TrackHead
from glmflow.models.weights import load_head, read_tensors
from safetensors.torch import load_file, save_file

SIZE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": 16}
TOKENS = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
FAMILIES = {
    "small": {"hidden_size": 16, "num_heads": 2, "num_layers": 1},
    "dnabert2": {**SIZE, "vocab_size": 4096},
    "modernbert": {**SIZE, **TOKENS, "max_position_embeddings": 64},  # a class of transformers
    "olmo": {"model_type": AI2, "d_model": 16, "n_heads": 2, "n_layers": 1, "mlp_hidden_size": 32, "vocab_size": 16,
             "max_sequence_length": 32, "pad_token_id": 0, "eos_token_id": 1, "layer_norm_type": "rms"},
}  # fmt: skip
IDS = torch.arange(2, 7)[None]


@pytest.fixture(params=FAMILIES)
def saved(request, tmp_path):
    """A family, the folder of a small model of it, its tensors and its logits."""
    family = request.param
    model = new_model(family, FAMILIES[family], seed=1).eval()
    model.save(tmp_path / "a")
    with torch.no_grad():
        return family, tmp_path / "a", load_file(tmp_path / "a" / "model.safetensors"), model(IDS).logits


def assert_same(family, folder, logits):
    with torch.no_grad():
        torch.testing.assert_close(load_model(folder, family).eval()(IDS).logits, logits, atol=0, rtol=0)


WRAPPED = {
    "data parallel": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "compiled": lambda state: {f"_orig_mod.{name}": tensor for name, tensor in state.items()},
    "compiled, then data parallel": lambda state: {
        f"module._orig_mod.{name}": tensor for name, tensor in state.items()
    },
    "as they are": dict,
}
FORMATS = {
    "safetensors": lambda state, folder: save_file(state, folder / "model.safetensors", {"format": "pt"}),
    "of today": lambda state, folder: torch.save(state, folder / "pytorch_model.bin"),
    "before 1.6": lambda state, folder: torch.save(
        state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False
    ),
    "nested": lambda state, folder: torch.save({"state_dict": state, "epoch": 3}, folder / "pytorch_model.bin"),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("wrapper", WRAPPED)
def test_weights_of_every_format_and_wrapper_are_the_same(saved, form, wrapper):
    family, folder, state, logits = saved
    (folder / "model.safetensors").unlink()
    FORMATS[form](WRAPPED[wrapper]({name: tensor.clone() for name, tensor in state.items()}), folder)
    if form == "safetensors":  # the record knows the bytes that were saved
        record = folder / "model.yaml"
        record.write_text(
            "".join(line for line in record.read_text().splitlines(True) if "model.safetensors" not in line)
        )
    assert_same(family, folder, logits)


def test_the_published_layout_of_omni_dna_in_its_wrapper(tmp_path):
    """The names of ai2-olmo, as they were trained in data parallel."""
    torch.manual_seed(0)
    published = {
        "model.transformer.wte.weight": torch.randn(16, 16),
        "model.transformer.ln_f.weight": torch.ones(16),
        "model.transformer.blocks.0.att_proj.weight": torch.randn(48, 16),
        "model.transformer.blocks.0.attn_out.weight": torch.randn(16, 16),
        "model.transformer.blocks.0.ff_proj.weight": torch.randn(32, 16),
        "model.transformer.blocks.0.ff_out.weight": torch.randn(16, 16),
        "model.transformer.blocks.0.attn_norm.weight": torch.ones(16),
        "model.transformer.blocks.0.ff_norm.weight": torch.ones(16),
    }
    config = FAMILIES["olmo"]
    logits = []
    for name, wrap in (("plain", dict), ("wrapped", WRAPPED["data parallel"])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        save_file(wrap(published), folder / "model.safetensors")
        with torch.no_grad():
            logits.append(load_model(folder).eval()(IDS).logits)
    torch.testing.assert_close(*logits, atol=0, rtol=0)


# Damaged files
@pytest.mark.parametrize("form", ["safetensors", "of today", "before 1.6"])
def test_weights_that_were_cut_or_are_something_else(saved, form):
    family, folder, state, _ = saved
    (folder / "model.safetensors").unlink()
    FORMATS[form]({name: tensor.clone() for name, tensor in state.items()}, folder)
    path = folder / ("model.safetensors" if form == "safetensors" else "pytorch_model.bin")
    whole = path.read_bytes()
    for content in (
        whole[: len(whole) // 2],
        whole[:20],
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"<html>",
    ):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            load_model(folder, family)
        assert (
            str(caught.value).startswith(str(folder)) and "\n" not in str(caught.value) and len(str(caught.value)) < 500
        )


def test_weights_that_changed_since_they_were_saved(saved):
    """safetensors has no checksum: the record of the model has one."""
    family, folder, _, logits = saved
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-2] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: damaged: not the weights that were saved"):
        load_model(folder, family)
    content[-2] ^= 0x40
    path.write_bytes(content)
    assert_same(family, folder, logits)


def test_nothing_but_tensors_is_unpickled(tmp_path):
    class Payload:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    for zipped in (True, False):
        torch.save({"weight": Payload()}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
        with pytest.raises(InputError, match=r"w\.pt: cannot be read"):
            read_tensors(tmp_path / "w.pt")
    torch.save([1, 2], tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"w\.pt: cannot be read: no tensors by name, but a list"):
        read_tensors(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[1]",
        b"null",
        b"\xff\xfe{}",
        b'{"model_type": "bert"',
        b'{"hidden_size": "x", "num_heads": null}',
        b'{"a": 1}',
    ],
)
def test_a_configuration_that_cannot_be_used(content, tmp_path):
    new_model("small", FAMILIES["small"], seed=1).save(tmp_path / "a")
    (tmp_path / "a" / "config.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_model(tmp_path / "a")
    assert "\n" not in str(caught.value)


def test_a_record_or_an_index_that_cannot_be_used(tmp_path):
    new_model("small", FAMILIES["small"], seed=1).save(tmp_path / "a")
    (tmp_path / "a" / "model.yaml").write_text("family: [small\n")
    with pytest.raises(InputError, match=r"model\.yaml: not valid"):
        load_model(tmp_path / "a")
    (tmp_path / "a" / "model.yaml").write_text("family: small\n")
    (tmp_path / "a" / "model.safetensors").rename(tmp_path / "a" / "shard.safetensors")
    index = tmp_path / "a" / "model.safetensors.index.json"
    for text in ("{", "[]", '{"weight_map": 3}'):
        index.write_text(text)
        with pytest.raises(InputError, match=r"model\.safetensors\.index\.json: cannot be read"):
            load_model(tmp_path / "a")
    index.write_text(json.dumps({"weight_map": dict.fromkeys("ab", "shard.safetensors")}))
    assert load_model(tmp_path / "a").card.family == "small"


def test_a_head_of_another_task(tmp_path):
    head = TrackHead(8, 2)
    save_file({name: tensor.clone() for name, tensor in head.state_dict().items()}, tmp_path / "head.safetensors")
    load_head(TrackHead(8, 2), tmp_path)
    with pytest.raises(InputError, match=r"head\.safetensors: not the head of this task"):
        load_head(TrackHead(8, 3), tmp_path)
    (tmp_path / "head.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"head\.safetensors: cannot be read"):
        load_head(TrackHead(8, 2), tmp_path)
