"""The interface: tokens and bases, likelihoods and base probabilities against their definitions, refusals, folders."""

import copy
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from family_checks import fixture
from glmflow.errors import InputError
from glmflow.files import sha256
from glmflow.models import load_model, new_model
from glmflow.models.attention import choose
from glmflow.models.interface import CAPABILITIES, ModelCard, NotSupportedError
from safetensors.torch import load_file, save_file
from torch.nn.functional import scaled_dot_product_attention

TINY = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "convolution": 3, "context": 64}
NT = {
    "model_type": "esm",
    "vocab_size": 4107,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 34,
    "position_embedding_type": "rotary",
    "pad_token_id": 1,
    "mask_token_id": 2,
    "add_bias_fnn": False,
    "emb_layer_norm_before": False,
}
GENERATOR = {
    "vocab_size": 4128,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture(scope="module")
def causal():
    return new_model("small", {**TINY, "causal": True}, seed=1).eval()


@pytest.fixture(scope="module")
def masked():
    return new_model("small", TINY, seed=1).eval()


@pytest.fixture(scope="module")
def six_mers():
    return new_model("nucleotide_transformer", NT, seed=1).eval()


@pytest.fixture(scope="module")
def generator():
    return new_model("generator", GENERATOR, seed=1).eval()


def probabilities(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].double().softmax(-1).numpy()


def sequence(length, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


# Tokens and states


def test_tokenize_reads_text_and_codes_alike(masked):
    text = masked.tokenize(["ACGTN"])
    codes = masked.tokenize([np.frombuffer(b"ACGTN", np.uint8)])
    assert torch.equal(text.input_ids, codes.input_ids)
    assert text.token_of_base.tolist() == [[0, 1, 2, 3, 4]]


def test_soft_masked_sequence_gives_the_states_of_the_upper_case_one(masked, six_mers):
    upper = sequence(30)
    for model in (masked, six_mers):
        tokens = model.tokenize([upper, upper.lower()])
        assert torch.equal(tokens.input_ids[0], tokens.input_ids[1])


def test_iupac_letters_are_read_as_n(masked, six_mers):
    for model in (masked, six_mers):
        tokens = model.tokenize(["ACGTACGRYACGTACGTAA", "ACGTACGNNACGTACGTAA"])
        assert torch.equal(tokens.input_ids[0], tokens.input_ids[1])
        assert model.tokenizer.vocab["N"] in tokens.input_ids[0]


@pytest.mark.parametrize("sequences", [[], ["ACGT", ""], "ACGT"])
def test_nothing_to_tokenize(masked, sequences):
    with pytest.raises(InputError):
        masked.tokenize(sequences)


def test_states_per_base_have_one_row_a_base_and_zeros_beyond_the_end(masked, six_mers):
    for model in (masked, six_mers):
        states = model.states_per_base(model.tokenize([sequence(27), sequence(14)]))
        assert states.shape == (2, 27, 16)
        assert (states[1, 14:] == 0).all() and (states[1, :14] != 0).any(-1).all()


def test_states_per_base_are_those_of_the_covering_token(six_mers):
    given = "ACGTAC" + "GGGTTT" + "N" + "ACGTACA"
    tokens = six_mers.tokenize([given])
    hidden = six_mers(tokens.input_ids).last_hidden_state[0]
    per_base = six_mers.states_per_base(tokens)[0]
    covering = [1] * 6 + [2] * 6 + [3] + [4] * 6 + [5]  # 0 is <cls>
    torch.testing.assert_close(per_base, hidden[covering], atol=1e-6, rtol=0)


def test_padding_of_a_model_that_cannot_pad_is_refused():
    model = load_model(fixture("caduceus-ph"))
    with pytest.raises(NotSupportedError, match=r"caduceus does not support.*one length"):
        model.tokenize(["ACGT", "ACGTA"])
    ids = torch.full((1, 5), 7)
    with pytest.raises(NotSupportedError, match="caduceus does not support padding"):
        model(ids, torch.tensor([[1, 1, 1, 0, 0]]))
    assert model(ids, torch.ones(1, 5)).logits.shape[:2] == (1, 5)


# Likelihoods


def test_causal_log_likelihood_is_the_mean_over_strands_of_the_sum_over_bases(causal):
    given = sequence(20)
    sums = []
    for strand in (given, given[::-1].translate(COMPLEMENT)):
        ids = causal.tokenizer.encode(strand)
        table = probabilities(causal, ids)
        sums.append(sum(np.log(table[t - 1, ids[t]]) for t in range(1, 20)))
    assert causal.log_likelihood([given])[0] == pytest.approx(np.mean(sums), abs=1e-5)


def test_log_likelihood_is_the_same_for_both_strands(causal, generator):
    given = sequence(24)
    for model in (causal, generator):
        both = model.log_likelihood([given, given[::-1].translate(COMPLEMENT)])
        assert both[0] == pytest.approx(both[1], abs=1e-5)


def test_a_start_token_lets_the_first_token_be_scored(generator):
    ids = generator.tokenizer.encode("ACGTAC")
    assert len(ids) == 2
    forward = np.log(probabilities(generator, ids)[0, ids[1]])
    other = generator.tokenizer.encode("GTACGT")
    reverse = np.log(probabilities(generator, other)[0, other[1]])
    assert generator.log_likelihood(["ACGTAC"])[0] == pytest.approx((forward + reverse) / 2, abs=1e-5)


def test_unknown_tokens_are_not_scored(generator):
    # A remainder is one <oov>: on the forward strand only ACGTAC is scored, on the reverse only CCGTAC.
    total = 0.0
    for strand in ("ACGTACGG", "CCGTACGT"):
        ids = generator.tokenizer.encode(strand)
        total += np.log(probabilities(generator, ids)[0, ids[1]])
    assert generator.log_likelihood(["ACGTACGG"])[0] == pytest.approx(total / 2, abs=1e-5)


def test_pseudo_log_likelihood_masks_one_token_at_a_time(masked, six_mers):
    given = sequence(26)
    for model in (masked, six_mers):
        ids = model.tokenizer.encode(given)
        expected = 0.0
        for t in range(len(model.tokenizer.prefix), len(ids)):
            table = probabilities(model, [*ids[:t], model.tokenizer.mask_id, *ids[t + 1 :]])
            expected += np.log(table[t, ids[t]])
        assert model.log_likelihood([given], batch_size=3)[0] == pytest.approx(expected, abs=1e-4)


def test_likelihoods_do_not_depend_on_the_batch(causal, masked):
    given = [sequence(length, seed=length) for length in (5, 31, 12, 2)]
    for model in (causal, masked):
        together = model.log_likelihood(given, batch_size=4)
        alone = [model.log_likelihood([one])[0] for one in given]
        np.testing.assert_allclose(together, alone, atol=1e-4)


def test_scoring_leaves_the_mode_as_it_was_and_needs_no_gradients(causal):
    causal.train()
    causal.log_likelihood(["ACGT"])
    assert causal.training
    assert all(parameter.grad is None for parameter in causal.parameters())
    causal.eval()


def test_a_too_long_sequence_is_not_scored_in_part(causal):
    with pytest.raises(InputError, match="65 bp has 65 tokens, small takes 64"):
        causal.log_likelihood(["A" * 65])


# Base probabilities


def test_base_probabilities_of_a_masked_character_model(masked):
    given = sequence(12)
    found = masked.base_probabilities([given], [0, 5, 11])[0]
    for row, place in zip(found, (0, 5, 11)):
        ids = masked.tokenizer.encode(given)
        ids[place] = masked.tokenizer.mask_id
        letters = probabilities(masked, ids)[place, 2:6]
        np.testing.assert_allclose(row, letters / letters.sum(), atol=1e-6)


def test_base_probabilities_of_a_causal_character_model(causal):
    given = sequence(12)
    found = causal.base_probabilities([given], [1, 11])[0]
    for row, place in zip(found, (1, 11)):
        letters = probabilities(causal, causal.tokenizer.encode(given[:place]))[-1, 2:6]
        np.testing.assert_allclose(row, letters / letters.sum(), atol=1e-6)


def test_base_probabilities_of_6mers_sum_over_all_that_have_the_base(six_mers):
    given = sequence(20)  # three 6-mers and two single bases
    found = six_mers.base_probabilities([given], [8, 19])[0]
    for row, place, token, offset, length in ((found[0], 8, 2, 2, 6), (found[1], 19, 5, 0, 1)):
        ids = six_mers.tokenizer.encode(given)
        ids[token] = six_mers.tokenizer.mask_id
        table = probabilities(six_mers, ids)[token]
        expected = np.zeros(4)
        for name, index in six_mers.tokenizer.vocab.items():
            if set(name) <= set("ACGT") and len(name) == length:
                expected["ACGT".index(name[offset])] += table[index]
        np.testing.assert_allclose(row, expected / expected.sum(), atol=1e-6)
        assert given[place] in "ACGT"


def test_base_probabilities_of_generator_put_the_frame_before_the_base(generator):
    given = sequence(20)
    found = generator.base_probabilities([given], [14, 6, 3])[0]
    for row, context in zip(found, (given[2:14], given[:6], "")):
        table = probabilities(generator, generator.tokenizer.encode(context))[-1]
        expected = np.zeros(4)
        for name, index in generator.tokenizer.vocab.items():
            if set(name) <= set("ACGT") and len(name) == 6:
                expected["ACGT".index(name[0])] += table[index]
        np.testing.assert_allclose(row, expected / expected.sum(), atol=1e-6)


def test_base_probabilities_at_positions_of_each_sequence(masked):
    given = [sequence(9, seed) for seed in (1, 2)]
    found = masked.base_probabilities(given, [[0, 8], [3, 4]])
    assert found.shape == (2, 2, 4)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-9)
    np.testing.assert_allclose(found[1], masked.base_probabilities(given[1:], [3, 4])[0], atol=1e-6)


def test_impossible_positions(masked, causal):
    with pytest.raises(InputError, match="position 4 lies outside a sequence of 4 bp"):
        masked.base_probabilities(["ACGT"], [4])
    with pytest.raises(InputError, match="position -1 lies outside"):
        masked.base_probabilities(["ACGT"], [-1, 2])
    with pytest.raises(InputError, match="no sequences"):
        masked.base_probabilities([], [0])
    with pytest.raises(InputError, match="position 0 has nothing to its left"):
        causal.base_probabilities(["ACGT"], [0])


def test_scores_refuse_a_sequence_beyond_the_context(masked, causal, generator):
    # 64 tokens: 64 bases, or 63 6-mers after the start token.
    for model, fits in ((masked, 64), (causal, 64), (generator, 378)):
        assert model.base_probabilities([sequence(fits)], [fits - 1]).shape == (1, 1, 4)
        refusal = rf"{fits + 136} bp has .* tokens, {model.card.family} takes"
        with pytest.raises(InputError, match=refusal):
            model.log_likelihood([sequence(fits + 136)])
        with pytest.raises(InputError, match=refusal):
            model.base_probabilities([sequence(fits + 136)], [fits - 1])


def test_byte_pairs_refuse_base_probabilities_and_name_the_alternative():
    model = load_model(fixture("gena-bert"))
    with pytest.raises(
        NotSupportedError, match=r"gena_bert does not support base probabilities.*log_likelihood of both"
    ):
        model.base_probabilities(["ACGT"], [1])
    assert not model.card.can("base_probabilities")


# What a model is


def test_cards_say_why_not(causal, masked):
    assert causal.card.can("generation") and not masked.card.can("generation")
    assert masked.card.can("masked_scores") and not causal.card.can("masked_scores")
    assert causal.card.can("extension") and not new_model("dilated_cnn", {}).card.can("extension")
    with pytest.raises(ValueError, match="is none of"):
        causal.card.can("flight")


@pytest.mark.parametrize(
    "name", ["nt-v1", "grover", "genos", "generator", "olmo-bpe", "modernbert", "gena-bigbird", "get"]
)
def test_every_reason_names_an_alternative(name):
    card = load_model(fixture(name)).card
    assert isinstance(card, ModelCard)
    assert set(card.cannot) <= set(CAPABILITIES)
    assert all("; " in reason for reason in card.cannot.values())


def test_published_context_in_bases():
    assert load_model(fixture("nt-v2")).card.context_bp == 12_282
    published = json.loads((fixture("nt-v1") / "config.json").read_text()) | {"max_position_embeddings": 1002}
    from glmflow.models.families.nucleotide_transformer import card

    assert card(published).context_bp == 5_994


def test_extension_moves_the_context_and_survives_saving(tmp_path):
    model = new_model("small", {**TINY, "causal": True}, seed=1).eval()
    plain = model.log_likelihood([sequence(60)])
    model.extend("yarn", 4)
    assert (model.card.context_bp, model.card.context_tokens) == (256, 256)
    extended = model.log_likelihood([sequence(60)])
    assert not np.allclose(plain, extended)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.card.context_bp == 256
    np.testing.assert_array_equal(again.log_likelihood([sequence(60)]), extended)


def test_an_extended_model_is_extended_anew_from_its_original_length_or_not_at_all(tmp_path):
    model = new_model("small", {**TINY, "causal": True}, seed=1).eval()
    model.extend("yarn", 4)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    with pytest.raises(
        InputError, match=r"extended already: yarn, 4 times its original 64 tokens.*original_length: 64"
    ):
        again.extend("pi", 2)
    with pytest.raises(InputError, match="extended already"):
        again.extend("pi", 2, original_length=256)
    again.extend("pi", 8, original_length=64)
    once = new_model("small", {**TINY, "causal": True}, seed=1).eval()
    once.extend("pi", 8)
    assert again.card == once.card and again.card.context_tokens == 512
    given = [sequence(200)]
    np.testing.assert_array_equal(again.log_likelihood(given), once.log_likelihood(given))


def test_learned_extension_survives_saving(tmp_path):
    model = new_model("small", {**TINY, "causal": True}, seed=1).eval()
    model.extend("clex", 4)
    for name, parameter in model.named_parameters():
        if "extension_field" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    given = [sequence(200)]
    np.testing.assert_array_equal(again.log_likelihood(given), model.log_likelihood(given))


def test_extension_of_a_model_without_rotary_positions_is_refused():
    with pytest.raises(NotSupportedError, match=r"dilated_cnn does not support extension.*overlapping chunks"):
        new_model("dilated_cnn", {}).extend("yarn", 4)


# Folders


def test_saved_folder_says_what_it_is(masked, tmp_path):
    masked.save(tmp_path / "model")
    record = yaml.safe_load((tmp_path / "model" / "model.yaml").read_text())
    assert record["family"] == "small"
    assert record["context_bp"] == 64
    assert record["position_embedding"] == "rope"
    assert record["tokenizer"] == "CharacterTokenizer"
    assert record["origin"] == {"source": "random weights", "seed": 1}
    weights = tmp_path / "model" / "model.safetensors"
    assert record["sha256"] == {"model.safetensors": sha256(weights)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]  # nothing temporary is left


def test_origin_is_kept_from_folder_to_folder(masked, tmp_path):
    masked.save(tmp_path / "first")
    load_model(tmp_path / "first").save(tmp_path / "second")
    assert load_model(tmp_path / "second").origin == {"source": "random weights", "seed": 1}


def test_a_failed_save_leaves_the_earlier_folder(masked, tmp_path, monkeypatch):
    masked.save(tmp_path / "model")
    before = sha256(tmp_path / "model" / "model.safetensors")
    other = new_model("small", TINY, seed=9)
    monkeypatch.setattr(other.tokenizer, "save", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        other.save(tmp_path / "model")
    assert sha256(tmp_path / "model" / "model.safetensors") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_model_without_its_head(tmp_path):
    model = new_model("small", TINY, seed=1).eval()
    ids = torch.tensor([[2, 3, 4, 5]])
    states = model(ids).last_hidden_state
    model.drop_head()
    assert model(ids).logits is None
    assert torch.equal(model(ids).last_hidden_state, states)
    with pytest.raises(NotSupportedError, match="head was dropped"):
        model.log_likelihood(["ACGT"])
    (states_again := model(ids).last_hidden_state).mul(torch.randn(16)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert not again.has_head
    assert torch.equal(again(ids).last_hidden_state, states_again)


def test_weights_that_do_not_fit_are_named(masked, tmp_path):
    folder = tmp_path / "model"
    masked.save(folder)
    state = load_file(folder / "model.safetensors")
    for change, match in (
        (lambda s: s.pop("norm.weight"), r"1 missing \(first: norm\.weight\)"),
        (lambda s: s.update(extra=torch.zeros(1)), r"1 unexpected \(first: extra\)"),
        (lambda s: s.update({"norm.bias": torch.zeros(3)}), r"norm\.bias \(3,\) for \(16,\)"),
    ):
        changed = dict(state)
        change(changed)
        save_file(changed, folder / "model.safetensors")
        with pytest.raises(InputError, match=match):
            load_model(folder)


def test_damaged_or_absent_weights(masked, tmp_path):
    folder = tmp_path / "model"
    masked.save(folder)
    (folder / "model.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match=r"model\.safetensors: cannot be read.*Download"):
        load_model(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no weights"):
        load_model(folder)


def test_folders_that_are_none():
    with pytest.raises(InputError, match="no such checkpoint folder"):
        load_model("/no/such/folder")
    with pytest.raises(InputError, match="snakemake -c1 prefetch"):
        load_model("nobody/no-such-model")


def test_dtype_by_name(masked, tmp_path):
    masked.save(tmp_path / "model")
    assert load_model(tmp_path / "model", dtype="bf16").dtype == torch.bfloat16
    assert load_model(tmp_path / "model").dtype == torch.float32
    with pytest.raises(InputError, match="unknown dtype 'int4'"):
        load_model(tmp_path / "model", dtype="int4")


# Attention


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_attention_without_a_gpu(caplog):
    with caplog.at_level("INFO"):
        assert choose("auto", torch.bfloat16) == "sdpa"
        assert choose("flash_attention_2", torch.bfloat16) == "sdpa"
        assert choose("eager", torch.float32) == "eager"
        assert choose("auto", torch.float32, supported=("eager",)) == "eager"
    assert "attention: sdpa (no flash-attention 2: no GPU)" in caplog.messages
    assert "attention: sdpa instead of flash_attention_2 (no GPU)" in caplog.messages
    with pytest.raises(InputError, match="unknown attention implementation 'xformers'"):
        choose("xformers", torch.float32)


@pytest.fixture
def flash_attention(monkeypatch):
    """A GPU and flash-attention 2 as far as they can be had on a CPU: the call is recorded, SDPA computes it."""
    calls = []

    def flash_attn_func(query, key, value, dropout_p, softmax_scale, causal):
        calls.append((query.dtype, key.dtype, value.dtype))
        inputs = (tensor.transpose(1, 2) for tensor in (query, key, value))
        return scaled_dot_product_attention(*inputs, is_causal=causal, scale=softmax_scale).transpose(1, 2)

    monkeypatch.setitem(sys.modules, "flash_attn", SimpleNamespace(flash_attn_func=flash_attn_func))
    for name, answer in (("is_available", True), ("get_device_capability", (8, 9))):
        monkeypatch.setattr(torch.cuda, name, lambda answer=answer: answer)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: SimpleNamespace(name=name))
    return calls


def test_flash_attention_is_taken_in_mixed_precision_and_only_there(masked, tmp_path, flash_attention, caplog):
    masked.save(tmp_path / "model")
    with caplog.at_level("INFO"):
        model = load_model(tmp_path / "model", compute_dtype="bfloat16")
    assert "attention: flash_attention_2 (in bfloat16)" in caplog.messages
    assert (model.attention, model.dtype) == ("flash_attention_2", torch.float32)
    ids = model.tokenize([sequence(40)]).input_ids
    exact = model(ids).last_hidden_state  # as LoRA's trial and evaluation without autocast
    assert not flash_attention
    with torch.autocast("cpu", torch.bfloat16):
        fast = model(ids).last_hidden_state
    assert flash_attention == [(torch.bfloat16,) * 3]
    assert (fast.float() - exact).abs().max() < 0.05 * exact.abs().max()


def test_flash_attention_is_not_chosen_for_float32(masked, tmp_path, flash_attention, caplog):
    masked.save(tmp_path / "model")
    with caplog.at_level("INFO"):
        assert load_model(tmp_path / "model").attention == "sdpa"
    assert "attention: sdpa (no flash-attention 2: it does not compute in float32)" in caplog.messages


def test_models_of_transformers_change_their_attention_with_the_type(six_mers, monkeypatch):
    network = copy.deepcopy(six_mers.network)
    network.attention = "flash_attention_2"
    taken = []

    def set_attention(name):
        taken.append(name)
        network.model.config._attn_implementation_internal = name

    monkeypatch.setattr(network.model, "set_attn_implementation", set_attention)
    ids = six_mers.tokenize([sequence(30)]).input_ids
    network.states(ids)
    assert taken == []  # float32: SDPA, as it was built here
    with torch.autocast("cpu", torch.bfloat16):
        network._attend_as_the_type_allows()
    network.states(ids)
    assert taken == ["flash_attention_2", "sdpa"]


# Generation


def test_generation_at_a_low_temperature_takes_the_likeliest_base(causal):
    drawn = causal.generate(["ACGT"], 10, temperature=1e-6)[0]
    sequence_ = "ACGT"
    for base in drawn:
        table = probabilities(causal, causal.tokenizer.encode(sequence_))[-1, 2:6]
        assert base == "ACGT"[np.argmax(table)]
        sequence_ += base
    assert causal.generate(["ACGT"], 10, top_k=1) == [drawn]


def test_generation_draws_with_the_models_probabilities(causal):
    drawn = causal.generate(["ACG"] * 600, 1, seed=3)
    counts = np.array([drawn.count(base) for base in "ACGT"])
    expected = 600 * causal.base_probabilities(["ACGA"], [3])[0, 0]
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi-square, 3 degrees of freedom: p = 0.001


def test_generation_repeats_with_its_seed_and_gives_the_length_asked(causal, generator):
    for model in (causal, generator):
        first = model.generate(["ACGTACGTAC", "GACTAC"], 8, seed=1)
        assert first == model.generate(["ACGTACGTAC", "GACTAC"], 8, seed=1)
        assert [len(one) for one in first] == [8, 8] and set("".join(first)) <= set("ACGT")
    assert model.generate(["ACGTAC"], 40, seed=1) != model.generate(["ACGTAC"], 40, seed=2)


def test_generation_beyond_the_context(causal):
    assert len(causal.generate([sequence(60)], 20)[0]) == 20


def test_generation_from_a_masked_model_is_refused(masked):
    with pytest.raises(NotSupportedError, match=r"small does not support generation.*Use a causal family"):
        masked.generate(["ACGT"], 5)


def test_without_a_tokenizer_base_probabilities_say_what_is_missing():
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        load_model(fixture("genos")).base_probabilities(["ACGT"], [2])


@pytest.mark.parametrize("family", ["hyenadna", "caduceus"])
def test_sequences_of_several_lengths_are_computed_one_length_after_the_other(family):
    """A family that ignores masks is never padded: states in a batch are those of single sequences, gradients flow."""
    settings = {"d_model": 16, "n_layer": 2, "max_seq_len": 64}
    model = (new_model(family, settings, seed=1) if family == "hyenadna" else load_model(fixture("caduceus-ph"))).eval()
    assert not model.card.padding
    generator = np.random.default_rng(0)
    sequences = ["".join(generator.choice(list("ACGT"), n)) for n in (40, 25, 40, 33)]
    states = model.states_per_base(model.tokenize(sequences, chunk=True))
    for row, sequence in enumerate(sequences):
        alone = model.states_per_base(model.tokenize([sequence]))[0]
        assert torch.allclose(states[row, : len(sequence)], alone, atol=1e-5)
        assert (states[row, len(sequence) :] == 0).all()
    assert states.requires_grad
