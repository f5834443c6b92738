"""Losses that a context task asks for, against the model's own probabilities."""

import numpy as np
import pytest
import torch
from glmflow.models import new_model
from glmflow.training.inputs.segments import TOKENS_AT_A_TIME, Query, in_batches, last_losses

rng = np.random.default_rng(0)


def question(length, scored=12, every=3):
    sequence = rng.choice(np.frombuffer(b"ACGT", np.uint8), length)
    return Query("x", length, sequence, scored, np.arange(scored) % every == 0)


def model(causal, **config):
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 256, "convolution": 3}
    return new_model("small", {**size, "causal": causal, **config}, seed=1).eval()


def test_causal_losses_are_those_of_the_next_base():
    adapter, asked = model(True), [question(40), question(40)]
    for query, nats in zip(asked, last_losses(adapter, asked)):
        sequence = query.sequence.tobytes().decode()
        for place in range(28, 40):
            (probabilities,) = adapter.base_probabilities([sequence], [place])
            ids = adapter.tokenize([sequence]).input_ids
            with torch.no_grad():
                logs = adapter(ids).logits[0, place - 1].log_softmax(-1)
            assert nats[place - 28] == pytest.approx(-float(logs[ids[0, place]]), abs=1e-5)
            assert probabilities.shape == (1, 4)


def test_masked_losses_are_asked_where_hidden_and_all_masked_at_once():
    adapter, query = model(False), question(40)
    (nats,) = last_losses(adapter, [query])
    assert np.array_equal(~np.isnan(nats), query.hidden)
    ids = adapter.tokenize([query.sequence]).input_ids
    masked = ids.clone()
    masked[0, 28 + np.flatnonzero(query.hidden)] = adapter.tokenizer.mask_id
    with torch.no_grad():
        logs = adapter(masked).logits[0].log_softmax(-1)
    expected = -logs.gather(-1, ids[0, :, None])[28:, 0].numpy()
    np.testing.assert_allclose(nats[query.hidden], expected[query.hidden], atol=1e-5)


def test_a_token_of_several_bases_shares_its_loss_among_them():
    adapter = model(True)
    bases_of = 2

    class Pairs:
        """A grid of two bases per token, of the same ids."""

        def __call__(self, sequences, **_):
            tokens = type(adapter).tokenize(adapter, [sequence[::bases_of] for sequence in sequences])
            covering = tokens.token_of_base.repeat_interleave(bases_of, 1)
            return type(tokens)(tokens.input_ids, tokens.attention_mask, covering)

    query = question(40, scored=12)
    half = Query("x", 20, query.sequence[::bases_of], 6, query.hidden[:6])
    (single,) = last_losses(adapter, [half])
    adapter.tokenize = Pairs()
    (shared,) = last_losses(adapter, [query])
    np.testing.assert_allclose(shared, np.repeat(single, bases_of) / bases_of, rtol=1e-6)


def test_batches_are_of_one_length_and_bounded():
    asked = [question(length, scored=4) for length in (64, 64, 64, 4096, 4096, 4096, 4096, 4096, 64)]
    batches = list(in_batches(asked))
    assert [query for batch in batches for query in batch] == asked or sum(map(len, batches)) == len(asked)
    for batch in batches:
        assert len({len(query.sequence) for query in batch}) == 1
        assert sum(len(query.sequence) for query in batch) <= TOKENS_AT_A_TIME
    assert [len(batch) for batch in batches] == [3, 4, 1, 1]
