"""Heads on pooled states: padding takes no part."""

import pytest
import torch
from glmflow.models.heads import new_head
from glmflow.models.heads.class_heads import PooledHead

LENGTHS = [7, 12, 1]


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_pooling_a_padded_batch_is_pooling_each_sequence_alone(pool):
    torch.manual_seed(0)
    head = PooledHead(5, 3, pool=pool)
    sequences = [torch.randn(length, 5) for length in LENGTHS]
    # What a backbone puts out for padding is arbitrary: large, so that any of it would show.
    states, inside = torch.full((3, 12, 5), 1e6), torch.zeros(3, 12, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        states[row, : len(sequence)], inside[row, : len(sequence)] = sequence, True
    by_hand = torch.stack([sequence.mean(0) if pool == "mean" else sequence.max(0).values for sequence in sequences])
    torch.testing.assert_close(head.pool(states, inside), by_hand)


@pytest.mark.parametrize("pool", ["mean", "max", "meanmax", "last", "bins", "attention"])
def test_logits_of_a_padded_batch_are_those_of_each_sequence_alone(pool):
    torch.manual_seed(0)
    head = PooledHead(5, 3, pool=pool, parts=4, hidden=6)
    sequences = [torch.randn(length, 5) for length in LENGTHS]
    states, inside = torch.full((3, 12, 5), 1e6), torch.zeros(3, 12, dtype=torch.bool)
    alone = []
    for row, sequence in enumerate(sequences):
        states[row, : len(sequence)], inside[row, : len(sequence)] = sequence, True
        alone.append(head(head.pool(sequence[None], torch.ones(1, len(sequence), dtype=torch.bool))))
    torch.testing.assert_close(head(head.pool(states, inside)), torch.cat(alone))


def test_there_is_a_logit_for_each_class_in_float32():
    head = new_head({"kind": "pooled", "pool": "max", "dropout": 0.5}, 8, 4).bfloat16().eval()
    logits = head(torch.randn(2, 8).bfloat16())
    assert logits.shape == (2, 4) and logits.dtype == torch.float32
    assert torch.equal(head(torch.zeros(1, 8).bfloat16())[0], head.linear.bias.float())
