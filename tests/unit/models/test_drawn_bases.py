"""Sampling: the same bytes whatever the batch and the cache, of every tokenizer; top-k, top-p and windows by hand."""

import numpy as np
import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.drawing import Sampling, draw, end_token, pick, window_start
from tokenizers import Tokenizer
from tokenizers.models import BPE

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 32}
HEADS = {**SIZES, "num_attention_heads": 2, "num_key_value_heads": 2}
SMALL = {"causal": True, "hidden_size": 16, "num_heads": 2, "context": 36}
MODELS = {
    "one base a token": ("small", SMALL),
    "filters as long as the context": ("hyenadna", {"d_model": 16, "max_seq_len": 36}),
    "filters and attention": ("evo2", {"hidden_size": 16, "num_attention_heads": 2}),
    "k-mers": ("generator", {**HEADS, "vocab_size": 4128, "max_position_embeddings": 24}),
}


@pytest.fixture(params=[*MODELS, "byte pairs"])
def model(request, tmp_path):
    if request.param in MODELS:
        return new_model(*MODELS[request.param], seed=1).eval()
    library = Tokenizer(BPE({"A": 0, "C": 1, "G": 2, "T": 3, "N": 4, "AC": 5, "GT": 6, "ACGT": 7, "TT": 8}, []))
    library.save(str(tmp_path / "tokenizer.json"))
    made = new_model("olmo", {**HEADS, "model_type": "olmo", "vocab_size": 12, "max_position_embeddings": 24}, seed=1)
    made.save(tmp_path / "model")
    (tmp_path / "tokenizer.json").rename(tmp_path / "model/tokenizer.json")
    return load_model(tmp_path / "model").eval()


def prompts(count, seed=0):
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list("ACGT"), 12 + 6 * (number % 3))) for number in range(count)]


@pytest.mark.parametrize("sampling", [Sampling(seed=3), Sampling(0.7, 4, 0.9, 5)], ids=["plain", "top"])
def test_batch_cache_and_company_change_nothing(model, sampling):
    own = prompts(4)
    first = draw(model, own, 40, sampling, batch=1)
    assert {len(drawn.sequence) for drawn in first} == {40}
    assert set("".join(drawn.sequence for drawn in first)) <= set("ACGT")
    for batch in (2, 4):
        assert [drawn.sequence for drawn in draw(model, own, 40, sampling, batch=batch)] == [d.sequence for d in first]
    uncached = draw(model, own, 40, sampling, batch=4, cached=False)
    assert [drawn.sequence for drawn in uncached] == [drawn.sequence for drawn in first]
    for one, other in zip(uncached, first):
        assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-3)
    alone = draw(model, own[2:3], 40, sampling, numbers=[2])
    assert alone[0].sequence == first[2].sequence


def test_one_prompt_has_a_continuation_for_each_number(model):
    found = draw(model, ["ACGTACGTACGT"] * 4, 24, Sampling())
    assert len({drawn.sequence for drawn in found}) == 4


def test_log_likelihood_is_the_models_own():
    model = new_model("small", SMALL, seed=1).eval()
    prompt, length = "ACGTTGCA", 12
    (found,) = draw(model, [prompt], length, Sampling(temperature=0.5, top_k=2))
    ids = model.tokenize([prompt + found.sequence]).input_ids
    table = model(ids).logits[0].detach().double().log_softmax(-1)
    wanted = sum(float(table[place - 1, ids[0, place]]) for place in range(len(prompt), len(prompt) + length))
    assert found.log_likelihood == pytest.approx(wanted, abs=1e-4)
    assert found.tokens == length


def test_top_k_and_top_p_by_hand():
    scores = np.log(np.array([0.1, 0.4, 0.3, 0.2]))
    taken = lambda sampling: {pick(scores, point, sampling, 0)[0] for point in np.linspace(0, 0.9999, 997)}  # noqa: E731
    assert taken(Sampling()) == {0, 1, 2, 3}
    assert taken(Sampling(top_k=2)) == {1, 2}
    assert taken(Sampling(top_p=0.65)) == {1, 2}
    assert taken(Sampling(top_p=0.75)) == {1, 2, 3}
    assert taken(Sampling(top_p=0.01)) == {1}
    points = (np.arange(10_000) + 0.5) / 10_000
    shares = np.bincount([pick(scores, point, Sampling(top_k=2), 0)[0] for point in points], minlength=4) / 10_000
    assert shares == pytest.approx([0, 4 / 7, 3 / 7, 0], abs=1e-3)
    cold = np.bincount([pick(scores, point, Sampling(temperature=0.5), 0)[0] for point in points], minlength=4) / 10_000
    assert cold == pytest.approx(np.array([1, 16, 9, 4]) / 30, abs=1e-3)


def test_draws_near_a_border_are_unsure():
    scores = np.log(np.array([0.5, 0.5 - 1e-7, 1e-7]))
    assert pick(scores, 0.25, Sampling(), 1e-4) == (0, True)
    assert not pick(scores, 0.50001, Sampling(), 1e-4)[1]
    assert not pick(scores, 0.2, Sampling(top_k=1), 1e-4)[1]  # which of the two is the likelier one?
    assert not pick(scores, 0.2, Sampling(top_p=0.50001), 1e-4)[1]


def test_windows_move_by_a_quarter():
    assert [window_start(tokens, 8) for tokens in (1, 8, 9, 10, 11, 12, 13)] == [0, 0, 2, 2, 4, 4, 6]
    assert window_start(10**6, None) == 0
    assert all(0 < tokens - window_start(tokens, 7) <= 7 for tokens in range(1, 60))


def test_what_cannot_be_is_refused():
    model = new_model("small", SMALL, seed=1)
    for wrong in (Sampling(temperature=0), Sampling(top_k=0), Sampling(top_p=1.5)):
        with pytest.raises(InputError, match="cannot be"):
            draw(model, ["ACGT"], 4, wrong)
    with pytest.raises(InputError, match="no token for the start"):
        draw(model, [""], 4, Sampling())
    with pytest.raises(InputError, match="no whole token of 6"):
        draw(new_model(*MODELS["k-mers"]), ["ACGTA"], 4, Sampling())


def test_a_kmer_prompt_keeps_its_end():
    model = new_model(*MODELS["k-mers"], seed=1).eval()
    one = draw(model, ["GG" + "ACGTAC" * 3], 24, Sampling())
    assert one == draw(model, ["ACGTAC" * 3], 24, Sampling())


@pytest.fixture
def ending():
    """A model that puts about a quarter of its probability on the end of the sequence."""
    model = new_model("generator", {**MODELS["k-mers"][1], "eos_token_id": 2}, seed=1).eval()
    logits, bias = model.network.logits, torch.zeros(4128)
    bias[2] = np.log(4128 / 3)
    model.network.logits = lambda states: logits(states) + bias
    return model


def test_the_end_of_a_sequence_ends_it(ending):
    first = draw(ending, ["ACGTAC"] * 24, 60, Sampling(seed=4), batch=1)
    lengths = [len(drawn.sequence) for drawn in first]
    assert set(lengths) <= set(range(6, 66, 6)) and len(set(lengths)) > 3  # whole tokens, one at least
    assert {drawn.tokens - length // 6 for drawn, length in zip(first, lengths) if length < 60} == {1}  # the end is one
    assert sum(lengths) / 6 == pytest.approx(24 * (1 - 0.75**10) / 0.25, rel=0.35)
    for options in ({"batch": 8}, {"batch": 8, "cached": False}):
        again = draw(ending, ["ACGTAC"] * 24, 60, Sampling(seed=4), **options)
        assert [drawn.sequence for drawn in again] == [drawn.sequence for drawn in first]
    ended = next(drawn for drawn in first if len(drawn.sequence) < 60)
    ids = torch.tensor([[*ending.tokenizer.encode("ACGTAC" + ended.sequence), 2]])
    table = ending(ids).logits[0].detach().double().log_softmax(-1)
    wanted = sum(float(table[place - 1, ids[0, place]]) for place in range(2, ids.shape[1]))
    assert ended.log_likelihood == pytest.approx(wanted, abs=1e-4)


def test_what_has_learned_no_end_has_none(ending):
    assert end_token(ending) == 2
    ending.origin["objective"] = "next"  # pretrained here, on windows
    assert end_token(ending) is None
    assert end_token(new_model("small", {**SMALL}, seed=1)) is None
