"""DNABERT-2: equal to the original, ALiBi in blocks equal to ALiBi at once, byte-pair tokens on bases."""

import numpy as np
import pytest
import torch
from family_checks import (
    Largest,
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_padding_changes_nothing,
    assert_parity,
    assert_reloads,
    assert_survives_saving,
    fixture,
    random_batch,
)
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families.dnabert2 import DNABERT2, alibi_attention, alibi_slopes, configure
from safetensors.torch import load_file, save_file

TINY = {
    "vocab_size": 40,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "intermediate_size": 40,
}


@pytest.fixture
def model():
    return new_model("dnabert2", TINY).eval()


def test_parity():
    model = assert_parity(fixture("dnabert2"))
    network = model.network
    assert network.cls.predictions["decoder"].weight is network.bert["embeddings"].word_embeddings.weight


def test_published_size():
    # pytorch_model.bin of DNABERT-2-117M has 468,354,983 bytes: float32 weights, and less than 64 KiB of names.
    with torch.device("meta"):
        network = DNABERT2(configure({}))
    rest = 468_354_983 - 4 * sum(parameter.numel() for parameter in network.parameters())
    assert 0 < rest < 2**16


def test_slopes_of_a_power_of_two_are_geometric():
    # Press et al. (2022): for 8 heads 1/2, 1/4 ... 1/256.
    assert alibi_slopes(8) == [2.0**-h for h in range(1, 9)]


def test_slopes_between_powers_of_two():
    # Press et al.: 12 heads have the 8 slopes of 8 heads, then every other of the 16 of 16 heads.
    assert alibi_slopes(12) == pytest.approx([*alibi_slopes(8), 2**-0.5, 2**-1.5, 2**-2.5, 2**-3.5])


def attention_at_once(query, key, value, mask):
    """Softmax of scores and biases, written out."""
    position = torch.arange(query.shape[2])
    scores = query @ key.mT / query.shape[-1] ** 0.5
    scores = scores - torch.tensor(alibi_slopes(query.shape[1]))[:, None, None] * (position[:, None] - position).abs()
    return scores.masked_fill(mask[:, None, None] == 0, float("-inf")).softmax(-1) @ value


@pytest.mark.parametrize("length", [16, 17, 100, 128])
def test_blocks_of_queries_give_what_all_at_once_gives(length):
    torch.manual_seed(0)
    inputs = [torch.randn(2, 3, length, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    mask = torch.ones(2, length)
    mask[1, length // 2 :] = 0
    expected = attention_at_once(*inputs, mask)
    found = alibi_attention(*inputs, mask, context=16)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)
    weights = torch.randn_like(expected)
    for a, b in zip(
        torch.autograd.grad((found * weights).sum(), inputs), torch.autograd.grad((expected * weights).sum(), inputs)
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_no_tensor_of_all_pairs_beyond_the_context():
    length = 1024
    sizes = {"alibi_starting_size": 128, "num_attention_heads": 2, "num_hidden_layers": 1}
    model = new_model("dnabert2", {**TINY, **sizes}).train()
    batch, mask = random_batch(model, [length])
    with Largest() as largest:
        model(batch, mask).logits.sum().backward()
    assert largest.elements < length**2 / 2


def test_padding_changes_nothing(model):
    assert_padding_changes_nothing(model, *random_batch(model, [30, 7, 19]))


def test_padding_changes_nothing_beyond_the_context():
    model = new_model("dnabert2", {**TINY, "alibi_starting_size": 8}).eval()
    assert_padding_changes_nothing(model, *random_batch(model, [30, 7, 19]))


def test_a_fresh_process_computes_the_same(model, tmp_path):
    assert_survives_saving(model, random_batch(model, [20])[0], tmp_path)


@pytest.mark.parametrize("heads, dim", [(1, 8), (4, 16), (5, 20), (12, 36)])
def test_other_sizes(heads, dim, tmp_path):
    model = new_model("dnabert2", {**TINY, "num_attention_heads": heads, "hidden_size": dim})
    assert_reloads(model, random_batch(model, [20])[0], tmp_path / "model")


def test_gradient_checkpointing(model):
    assert_checkpointing_gives_the_same_gradients(model, random_batch(model, [30])[0])


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, random_batch(model, [30])[0], tmp_path / "model")


def test_lora(model):
    assert_lora_trains(model, random_batch(model, [30])[0], layers=3)


def test_the_bare_encoder_of_dnabert_s_is_named_as_ours(model, tmp_path):
    # DNABERT-S: no `bert.` before the names, and a sentence pooler.
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    state = {name.removeprefix("bert."): tensor for name, tensor in load_file(path).items()}
    save_file({**state, "pooler.dense.weight": torch.ones(24, 24), "pooler.dense.bias": torch.ones(24)}, path)
    (tmp_path / "model" / "model.yaml").unlink()
    batch = random_batch(model, [20])[0]
    torch.testing.assert_close(load_model(tmp_path / "model")(batch).logits, model(batch).logits, atol=0, rtol=0)


def test_an_encoder_without_a_head_gives_states_alone(model, tmp_path, caplog):
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    save_file({name: tensor for name, tensor in load_file(path).items() if not name.startswith("cls.")}, path)
    (tmp_path / "model" / "model.yaml").unlink()
    bare = load_model(tmp_path / "model")
    assert "no language-model head" in caplog.text
    batch = random_batch(model, [20])[0]
    assert bare(batch).logits is None
    torch.testing.assert_close(bare(batch).last_hidden_state, model(batch).last_hidden_state, atol=0, rtol=0)
    with pytest.raises(InputError, match="head"):
        bare.log_likelihood(["ACGT"])


def test_a_head_in_part_is_an_error(model, tmp_path):
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    state = load_file(path)
    del state["cls.predictions.transform.dense.weight"]
    save_file(state, path)
    with pytest.raises(InputError, match="missing"):
        load_model(tmp_path / "model")


def test_a_missing_tensor_is_an_error(model, tmp_path):
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    state = load_file(path)
    del state["bert.encoder.layer.1.mlp.wo.bias"]
    save_file(state, path)
    with pytest.raises(InputError, match="missing"):
        load_model(tmp_path / "model")


@pytest.fixture
def with_tokenizer(model, tmp_path):
    """A model folder with a byte-pair tokenizer made as the published one: special tokens first, N not among them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    letters = np.random.default_rng(0).choice(list("ACGT"), (40, 60))
    library = Tokenizer(models.BPE(unk_token="[UNK]"))
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trainer = trainers.BpeTrainer(vocab_size=40, special_tokens=special)
    library.train_from_iterator(["".join(row) for row in letters], trainer)
    library.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    model.save(tmp_path / "model")
    library.save(str(tmp_path / "model" / "tokenizer.json"))
    return load_model(tmp_path / "model")


def test_each_base_is_covered_by_the_token_that_spells_it(with_tokenizer):
    sequence = "ACGTTGCANNACGTAGGCTATTACGA"
    tokens = with_tokenizer.tokenize([sequence])
    names = {index: token for token, index in with_tokenizer.tokenizer.vocab.items()}
    ids = tokens.input_ids[0].tolist()
    assert [names[ids[0]], names[ids[-1]]] == ["[CLS]", "[SEP]"]
    place = 0
    for position in range(1, len(ids) - 1):
        spelt = names[ids[position]] if ids[position] else "N"
        assert sequence[place : place + len(spelt)] == spelt
        assert tokens.token_of_base[0, place : place + len(spelt)].eq(position).all()
        place += len(spelt)
    assert place == len(sequence)


def test_soft_masked_bases_are_read_as_bases(with_tokenizer):
    upper, lower = (with_tokenizer.tokenize([sequence]) for sequence in ("ACGTTGCAAACGTAGG", "acgttgcaaacgTAGG"))
    assert torch.equal(upper.input_ids, lower.input_ids)
    assert with_tokenizer.tokenizer.unknown_id not in upper.input_ids


def test_states_per_base(with_tokenizer):
    sequences = ["ACGTTGCAAACGTAGGNCTATTACGA", "TTGACC"]
    tokens = with_tokenizer.tokenize(sequences)
    with torch.no_grad():
        per_base = with_tokenizer.states_per_base(tokens)
        states = with_tokenizer(tokens.input_ids, tokens.attention_mask).last_hidden_state
    assert per_base.shape == (2, 26, 24)
    torch.testing.assert_close(per_base[1, 3], states[1, tokens.token_of_base[1, 3]])
    assert per_base[1, 6:].eq(0).all()


def test_a_window_beyond_the_context_is_refused_or_cut_into_chunks(with_tokenizer):
    sequence = "ACGTTGCA" * 400
    with pytest.raises(InputError, match="chunk=True"):
        with_tokenizer.tokenize([sequence])
    tokens = with_tokenizer.tokenize([sequence], chunk=True)
    assert tokens.input_ids.shape[1] == 512
    with torch.no_grad():
        assert with_tokenizer.states_per_base(tokens).shape == (1, 3200, 24)


def test_base_probabilities_are_refused_with_an_alternative(with_tokenizer):
    with pytest.raises(InputError, match="log_likelihood"):
        with_tokenizer.base_probabilities(["ACGTACGT"], [2])
    assert np.isfinite(with_tokenizer.log_likelihood(["ACGTTGCAAACGTAGG"])).all()


def test_without_a_tokenizer_file_the_mend_names_it(model):
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        model.tokenize(["ACGT"])
