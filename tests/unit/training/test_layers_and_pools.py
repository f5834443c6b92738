"""States of a chosen layer, the special token, and learned weights of the parts of a sequence."""

import numpy as np
import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.heads.class_heads import PooledHead

SMALL = {"hidden_size": 16, "num_heads": 2, "num_layers": 3, "causal": False}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return new_model("small", SMALL).eval()


def sequences(*lengths):
    generator = np.random.default_rng(0)
    return [generator.choice(np.frombuffer(b"ACGT", np.uint8), length) for length in lengths]


def test_layers_count_from_one_and_from_the_end(model):
    tokens = model.tokenize(sequences(30, 20))
    with torch.no_grad():
        last, third, first = (model.states_per_base(tokens, layer) for layer in (-1, 3, 1))
        own = model.states_per_base(tokens)
    assert torch.equal(last, third) and not torch.allclose(first, third)
    assert own.shape == third.shape == (2, 30, 16)
    assert (third[1, 20:] == 0).all()
    for layer in (0, 4, -4):
        with pytest.raises(InputError, match="the model has 3"):
            model.states_per_base(tokens, layer)


def test_a_layer_of_a_family_that_ignores_masks_is_computed_length_by_length():
    torch.manual_seed(0)
    config = {"d_model": 16, "n_layer": 2, "d_inner": 32, "max_seq_len": 64}
    model = new_model("hyenadna", config).eval()
    assert not model.card.padding
    texts = sequences(30, 20, 30)
    with torch.no_grad():
        together = model.states_per_base(model.tokenize(texts, chunk=True), 1)
        for place, text in enumerate(texts):
            alone = model.states_per_base(model.tokenize([text]), 1)[0]
            assert torch.allclose(together[place, : len(text)], alone, atol=1e-5)


def test_the_special_token_is_read_where_there_is_one(model):
    if model.tokenizer.prefix:
        pytest.skip("the small family has a special token now")
    with pytest.raises(InputError, match="puts no special token before"):
        model.states_before(model.tokenize(sequences(20)))
    torch.manual_seed(0)
    config = {
        "model_type": "esm",
        "vocab_size": 4107,
        "hidden_size": 16,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
    }
    config |= {"intermediate_size": 32, "max_position_embeddings": 66, "pad_token_id": 1, "mask_token_id": 2}
    config |= {"position_embedding_type": "absolute", "emb_layer_norm_before": False, "token_dropout": False}
    other = new_model("nucleotide_transformer", config).eval()
    tokens = other.tokenize(sequences(30, 18))
    with torch.no_grad():
        found = other.states_before(tokens)
        whole = other.hidden_states(tokens.input_ids, tokens.attention_mask)
    assert torch.equal(found, whole[:, 0])


def test_equal_weights_of_parts_are_the_mean_of_their_means():
    head = PooledHead(4, 2, pool="parts_attention", parts=5)
    torch.nn.init.zeros_(head.query.weight)
    states, inside = torch.randn(3, 20, 4), torch.ones(3, 20, dtype=torch.bool)
    kept = head.pool(states, inside)
    assert head.caches and kept.shape == (3, 20)
    expected = head.linear(states.mean(1))  # equal parts of one length
    assert torch.allclose(head(kept), expected, atol=1e-6)
    assert head.describe() == PooledHead(4, 2, pool="bins", parts=5).describe()  # the same states are kept for both


def test_the_part_that_weighs_most_is_read():
    head = PooledHead(2, 1, pool="parts_attention", parts=4)
    with torch.no_grad():
        head.query.weight.copy_(torch.tensor([[100.0, 0.0]]))
        states = torch.zeros(1, 8, 2)
        states[0, 4:6] = torch.tensor([1.0, 7.0])
        found = head(head.pool(states, torch.ones(1, 8, dtype=torch.bool)))
        assert torch.allclose(found, head.linear(torch.tensor([[1.0, 7.0]])), atol=1e-4)
