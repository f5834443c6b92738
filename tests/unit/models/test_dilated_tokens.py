"""Few tokens of a stack of dilated convolutions are what they are when all are computed."""

import numpy as np
import pytest
import torch
from glmflow.models.dilated_tokens import convolved, tokens_needed
from torch import nn


def stack(dilations, groups=1, k=5, width=6):
    torch.manual_seed(0)
    return [nn.Conv1d(width, width, k, padding="same", dilation=d, groups=groups, bias=d > 1) for d in dilations]


@pytest.mark.parametrize("places", [[20], [0, 1], [39], [3, 30], list(range(40))])
@pytest.mark.parametrize(("dilations", "groups"), [((1, 2, 4, 8), 1), ((8, 4, 2, 1), 1), ((1, 4), 2), ((16,), 1)])
def test_tokens_are_those_of_the_whole(places, dilations, groups):
    convolutions, x = stack(dilations, groups), torch.randn(3, 6, 40)
    needed = tokens_needed(np.array(places), convolutions, 40)
    whole, some = x, x[..., needed[0]]
    for one, before, after in zip(convolutions, needed, needed[1:]):
        whole, some = torch.tanh(one(whole)), torch.tanh(convolved(one, some, before, after, 40))
    at = np.searchsorted(needed[-1], places)
    torch.testing.assert_close(some[..., at], whole[..., places], atol=1e-5, rtol=0)


def test_the_last_layers_compute_a_lattice():
    """Three taps that are 4, 2 and 1 apart: 1, 3, 7 tokens, and all 15 that any of them sees."""
    needed = tokens_needed(np.array([50]), stack((1, 2, 4), k=3), 100)
    assert needed[3].tolist() == [50] and needed[2].tolist() == [46, 50, 54]
    assert needed[1].tolist() == [44, 46, 48, 50, 52, 54, 56] or needed[1].tolist() == list(range(44, 57))
    assert needed[0].tolist() == list(range(43, 58))
    assert [len(some) for some in tokens_needed(np.array([0]), stack((1, 2, 4), k=3), 100)] == [8, 7, 2, 1]
