"""Padding on the left that is read as sequence, as published protocols have it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.left_padding import padded_on_the_left, require_left_padding


def test_padding_stands_before_the_sequence_and_is_read_and_pooled():
    torch.manual_seed(0)
    model = new_model("hyenadna", {"d_model": 16, "n_layer": 2, "d_inner": 32, "max_seq_len": 64}).eval()
    generator = np.random.default_rng(0)
    short, long = (generator.choice(np.frombuffer(b"ACGT", np.uint8), length) for length in (9, 16))
    tokens = padded_on_the_left(model, [short, long], 16)
    plain = model.tokenize([short]).input_ids[0]
    assert tokens.input_ids[0].tolist() == [model.tokenizer.pad_id] * 7 + plain.tolist()
    assert tokens.attention_mask.all() and (tokens.token_of_base >= 0).all()
    with torch.no_grad():
        both, whole = model.states_per_base(tokens), model.hidden_states(tokens.input_ids)
        alone, other = (model.states_per_base(model.tokenize([one]))[0] for one in (short, long))
    torch.testing.assert_close(both, whole)  # what the original computes of these tokens
    assert not torch.allclose(both[0, 7:], alone, atol=1e-4)  # a causal model has read the padding before
    torch.testing.assert_close(both[1], other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("bases", "before"), [(6, ()), (1, (3,))])
def test_families_of_longer_tokens_or_with_a_token_before_are_refused(bases, before):
    tokenizer = SimpleNamespace(pad_id=0, prefix=before)
    model = SimpleNamespace(tokenizer=tokenizer, card=SimpleNamespace(family="other", bases_per_token=bases))
    with pytest.raises(InputError, match="other cannot be padded on the left"):
        require_left_padding(model)
