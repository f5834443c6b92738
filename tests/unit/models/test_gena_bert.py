"""GENA-LM (bert): equal to the original, to transformers' BERT with norms last, and its tokens on bases."""

import numpy as np
import pytest
import torch
from family_checks import (
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_padding_changes_nothing,
    assert_parity,
    assert_reloads,
    assert_survives_saving,
    fixture,
    random_batch,
    tokens_of,
)
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.families import gena_bert
from glmflow.models.registry import recognise
from safetensors.torch import load_file, save_file

TINY = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "pre_layer_norm": True,
}
VARIANTS = [{"pre_layer_norm": True}, {"last_layer_norm": False}, {"pre_layer_norm": False}]


@pytest.fixture
def model():
    return new_model("gena_bert", TINY).eval()


@pytest.fixture(scope="module")
def tokenizer():
    return gena_bert.tokenizer({}, fixture("gena-bert") / "tokenizer")


def test_parity():
    model = assert_parity(fixture("gena-bert"))
    predictions = model.network.cls.predictions
    assert predictions["decoder"].weight is model.network.bert["embeddings"].word_embeddings.weight
    assert predictions["decoder"].bias is predictions.bias


@pytest.mark.parametrize(
    "lost", ["cls.predictions.bias", "cls.predictions.decoder.bias", "cls.predictions.decoder.weight"]
)
def test_a_tied_weight_may_be_missing(lost, tmp_path):
    folder = fixture("gena-bert")
    state = load_file(folder / "model.safetensors")
    del state[lost]
    save_file(state, tmp_path / "model.safetensors")
    for name in ("config.json", "io.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert_parity(tmp_path)


def test_what_pretraining_added_is_left_out(tmp_path):
    # gena-lm-bert-base was saved as BertForPreTraining: pooler and next-sentence classifier are in the file.
    folder = fixture("gena-bert")
    state = load_file(folder / "model.safetensors")
    extra = ("bert.pooler.dense.weight", "bert.pooler.dense.bias", "cls.seq_relationship.weight")
    save_file({**state, **{name: torch.zeros(2) for name in extra}}, tmp_path / "model.safetensors")
    for name in ("config.json", "io.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert_parity(tmp_path)


def test_with_norms_last_it_is_bert():
    from transformers import BertConfig, BertForMaskedLM

    model = new_model("gena_bert", {**TINY, "pre_layer_norm": False}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
    keys = {key: value for key, value in TINY.items() if key != "pre_layer_norm"}
    bert = BertForMaskedLM(BertConfig(**keys)).eval()
    bert.load_state_dict(model.network.state_dict())
    batch, mask = random_batch(model, [30, 12])
    with torch.no_grad():
        expected = bert(batch, attention_mask=mask, output_hidden_states=True)
        found = model(batch, mask)
    torch.testing.assert_close(found.logits[mask.bool()], expected.logits[mask.bool()], atol=1e-5, rtol=0)
    states = expected.hidden_states[-1]
    torch.testing.assert_close(found.last_hidden_state[mask.bool()], states[mask.bool()], atol=1e-5, rtol=0)


def test_the_last_norm_is_applied_to_the_states_without_it(model, tmp_path):
    without = new_model("gena_bert", {**TINY, "last_layer_norm": False}).eval()
    norm = model.network.bert["encoder"]["last_layer_ln"]
    with torch.no_grad():
        norm.weight.normal_(1, 0.1)
        state = {name: t for name, t in model.network.state_dict().items() if "last_layer_ln" not in name}
        without.network.load_state_dict(state)
        batch = random_batch(model, [20])[0]
        states = norm(without(batch).last_hidden_state)
        torch.testing.assert_close(model(batch).last_hidden_state, states)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_reloads(variant, tmp_path):
    model = new_model("gena_bert", {**TINY, **variant})
    assert_reloads(model, random_batch(model, [20])[0], tmp_path / "model")


@pytest.mark.parametrize(
    "keys, message",
    [
        ({"sparse_config_cls": "deepspeed.ops.sparse_attention:BigBirdSparsityConfig"}, "bigbird-base-t2t"),
        ({"position_embedding_type": "rotary"}, "bigbird-base-t2t"),
        ({"hidden_act": "relu"}, "hidden_act"),
        ({"pre_layer_norm": False, "last_layer_norm": True}, "twice"),
    ],
)
def test_what_cannot_be_computed_is_refused(keys, message):
    with pytest.raises(InputError, match=message):
        new_model("gena_bert", {**TINY, **keys})


def test_only_a_bert_with_configured_norms_is_recognised():
    assert recognise({"model_type": "bert", "pre_layer_norm": True}).name == "gena_bert"
    assert not gena_bert.matches({"model_type": "bert", "vocab_size": 609})


def test_more_tokens_than_positions_are_refused(model):
    with pytest.raises(InputError, match="64 positions"):
        model(random_batch(model, [65])[0])


def test_token_ids(tokenizer):
    for case in tokens_of(fixture("gena-bert")):
        assert tokenizer.encode(case["sequence"]) == case["input_ids"]
        assert tokenizer.encode(case["sequence"], special=False) == case["input_ids_no_special"]


def codes(sequence):
    return np.frombuffer(sequence.encode(), np.uint8)


def spelt(tokenizer, pieces):
    """Return the letters of each token."""
    names = {index: token for token, index in tokenizer.vocab.items()}
    return [names[index] for index in pieces.ids]


def test_each_base_is_covered_by_the_token_that_spells_it(tokenizer):
    sequence = "".join(np.random.default_rng(0).choice(list("ACGT"), 500)) + "NNN" + "ACGTTGCA"
    pieces = tokenizer.pieces(codes(sequence))
    lengths = [len(letters) for letters in spelt(tokenizer, pieces)]
    assert "".join(spelt(tokenizer, pieces)) == sequence
    np.testing.assert_array_equal(pieces.token_of_base, np.repeat(np.arange(len(lengths)), lengths))


@pytest.mark.parametrize("gap", [10, 37, 400])
@pytest.mark.parametrize("before, after", [("ACGTTGCATTA", "GGCATTAC"), ("", "GGCATTAC"), ("ACGTTGCATTA", "")])
def test_a_run_of_n_is_one_gap_token_that_covers_all_its_bases(tokenizer, gap, before, after):
    pieces = tokenizer.pieces(codes(before + "N" * gap + after))
    letters = spelt(tokenizer, pieces)
    assert letters.count("-") == 1
    place = letters.index("-")
    assert (pieces.token_of_base[len(before) : len(before) + gap] == place).all()
    assert (pieces.token_of_base == place).sum() == gap
    assert "".join(letters) == f"{before}-{after}"
    assert (np.diff(pieces.token_of_base) >= 0).all()


def test_soft_masked_bases_are_read_as_bases(tokenizer, model):
    model.tokenizer = tokenizer
    upper, lower = (model.tokenize([sequence]) for sequence in ("ACGTTGCATTAGGCA", "acgttgcattaGGCA"))
    assert torch.equal(upper.input_ids, lower.input_ids)
    assert tokenizer.unknown_id not in upper.input_ids


def test_ids_beyond_the_vocabulary_are_refused(model):
    with pytest.raises(InputError, match="token id 50 is beyond the 50 tokens"):
        model(torch.tensor([[1, 50, 2]]))


def test_special_tokens(tokenizer):
    # special_tokens_map.json of the published tokenizer: [UNK] [CLS] [SEP] [PAD] [MASK] are 0 to 4.
    found = (tokenizer.unknown_id, *tokenizer.prefix, *tokenizer.suffix, tokenizer.pad_id, tokenizer.mask_id)
    assert found == (0, 1, 2, 3, 4)


def test_padding_changes_nothing(model):
    assert_padding_changes_nothing(model, *random_batch(model, [30, 7, 19]))


def test_a_fresh_process_computes_the_same(model, tmp_path):
    assert_survives_saving(model, random_batch(model, [20])[0], tmp_path)


def test_gradient_checkpointing(model):
    assert_checkpointing_gives_the_same_gradients(model, random_batch(model, [30])[0])


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, random_batch(model, [30])[0], tmp_path / "model")


def test_lora(model):
    assert_lora_trains(model, random_batch(model, [30])[0], layers=6)
