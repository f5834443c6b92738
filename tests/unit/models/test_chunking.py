"""Windows beyond the context: which chunk a base is taken from, and that its state is that chunk's."""

import logging

import numpy as np
import pytest
import torch
from family_checks import fixture
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.chunking import chunk_starts, describe, owners
from hypothesis import given, settings
from hypothesis import strategies as st

TINY = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "convolution": 3}


def sequence(length, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 400), st.integers(1, 60), st.floats(0, 0.9))
def test_chunks_cover_everything_end_flush_and_overlap_as_asked(tokens, size, overlap):
    starts = chunk_starts(tokens, size, overlap)
    covered = np.zeros(tokens, int)
    for start in starts:
        covered[start : start + size] += 1
    assert covered.min() >= 1
    assert starts[0] == 0 and starts[-1] == max(0, tokens - size)
    assert (np.diff(starts) >= 1).all() and (np.diff(starts) <= max(1, np.floor(size * (1 - overlap)))).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 100), st.integers(2, 40), st.floats(0, 0.9), st.booleans())
def test_each_token_is_taken_where_it_has_most_context(tokens, size, overlap, causal):
    starts = chunk_starts(tokens, size, overlap)
    chosen = owners(tokens, starts, size, causal)

    def context(chunk, token):
        start, end = starts[chunk], min(starts[chunk] + size, tokens)
        if not start <= token < end:
            return -1
        left = tokens if start == 0 else token - start
        right = tokens if end == tokens or causal else end - 1 - token
        return min(left, right)

    for token in range(tokens):
        assert context(chosen[token], token) == max(context(chunk, token) for chunk in range(len(starts)))


def test_overlap_of_a_quarter_leaves_an_eighth_of_the_context_on_both_sides():
    starts = chunk_starts(10_000, 512, 0.25)
    chosen = owners(10_000, starts, 512, causal=False)
    inner = np.arange(256, 10_000 - 256)
    left = inner - starts[chosen[inner]]
    assert left.min() >= 63 and (511 - left).min() >= 63


def test_a_causal_model_takes_the_earlier_chunk():
    starts = chunk_starts(30, 20, 0.5)
    assert starts.tolist() == [0, 10]
    assert owners(30, starts, 20, causal=True).tolist() == [0] * 20 + [1] * 10
    assert owners(30, starts, 20, causal=False).tolist() == [0] * 15 + [1] * 15


@pytest.mark.parametrize("causal", [True, False])
def test_states_of_a_long_window_are_those_of_its_chunks(causal):
    model = new_model("small", {**TINY, "causal": causal, "context": 40}, seed=3).eval()
    window = sequence(130)
    with torch.no_grad():
        whole = model.states_per_base(model.tokenize([window], chunk=True, overlap=0.5))[0]
        starts = chunk_starts(130, 40, 0.5)
        parts = [model.states_per_base(model.tokenize([window[s : s + 40]]))[0] for s in starts]
    chosen = owners(130, starts, 40, causal)
    assert whole.shape == (130, 16)
    for base in range(130):
        expected = parts[chosen[base]][base - starts[chosen[base]]]
        torch.testing.assert_close(whole[base], expected, atol=1e-5, rtol=0)


def test_bases_at_a_chunk_edge_differ_from_the_whole_window_less_with_more_overlap():
    long = new_model("small", {**TINY, "context": 200}, seed=1).eval()
    short = new_model("small", {**TINY, "context": 50}, seed=1).eval()
    window = sequence(200)
    with torch.no_grad():
        whole = long.states_per_base(long.tokenize([window]))
        error = [
            (short.states_per_base(short.tokenize([window], chunk=True, overlap=overlap)) - whole).abs().mean()
            for overlap in (0.0, 0.8)
        ]
    assert 0 < error[1] < error[0]


def test_windows_of_several_lengths_share_a_batch():
    model = new_model("small", {**TINY, "context": 40}).eval()
    windows = [sequence(100, 1), sequence(25, 2), sequence(61, 3)]
    tokens = model.tokenize(windows, chunk=True)
    assert tokens.rows == (3, 1, 2)
    with torch.no_grad():
        together = model.states_per_base(tokens)
        for index, window in enumerate(windows):
            alone = model.states_per_base(model.tokenize([window], chunk=True))[0]
            torch.testing.assert_close(together[index, : len(window)], alone, atol=1e-5, rtol=0)
            assert (together[index, len(window) :] == 0).all()


def test_gradients_reach_every_chunk():
    model = new_model("small", {**TINY, "context": 40})
    tokens = model.tokenize([sequence(100)], chunk=True)
    embedded = []

    def keep(module, inputs, output):
        output.retain_grad()
        embedded.append(output)

    model.network.embedding.register_forward_hook(keep)
    states = model.states_per_base(tokens)
    (states * torch.randn_like(states)).sum().backward()
    assert (embedded[0].grad.abs().sum((1, 2)) > 0).all()


def test_special_tokens_stand_around_every_chunk_of_a_published_model():
    model = load_model(fixture("nt-v1"))
    tokens = model.tokenize([sequence(600)], chunk=True)
    size = model.card.context_tokens - 1
    assert tokens.rows == (len(chunk_starts(100, size, 0.25)),)
    assert (tokens.input_ids[:, 0] == model.tokenizer.prefix[0]).all()
    assert (tokens.input_ids[:, 1:] != model.tokenizer.prefix[0]).all()
    with torch.no_grad():
        states = model.states_per_base(tokens)
    assert states.shape == (1, 600, 32)
    six = states[0].reshape(100, 6, 32)
    assert (six == six[:, :1]).all()  # the six bases of a 6-mer have the state of its one token


def test_without_chunks_a_long_sequence_is_refused_and_nothing_is_cut():
    model = new_model("small", {**TINY, "context": 40})
    assert model.tokenize([sequence(40)]).input_ids.shape == (1, 40)
    with pytest.raises(InputError, match=r"41 bp has 41 tokens, small takes 40.*chunk=True"):
        model.tokenize([sequence(41)])


def test_chunking_is_said_once_a_model(caplog):
    model = new_model("small", {**TINY, "context": 40})
    with caplog.at_level(logging.INFO):
        model.tokenize([sequence(100)], chunk=True)
        model.tokenize([sequence(100)], chunk=True)
    said = [record.message for record in caplog.records if "chunks" in record.message]
    assert said == [
        "a sequence of 100 bp has 100 tokens, small takes 40: computed in 3 chunks overlapping by 25 %, "
        "each base taken where it has most context"
    ]


def test_describe_for_the_report():
    card = new_model("small", {**TINY, "context": 512}).card
    assert describe(card, 512) is None
    assert "a window of 32,768 bp is computed in about 85 chunks that overlap by 25%" in describe(card, 32_768)
    assert describe(new_model("dilated_cnn", {}).card, 10**6) is None


@pytest.mark.parametrize("overlap", [-0.1, 1.0])
def test_impossible_overlap(overlap):
    with pytest.raises(InputError, match="overlap of chunks"):
        chunk_starts(100, 10, overlap)
