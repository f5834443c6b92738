"""Heads: shapes, signs, and the parameter count published for Genos with its track head."""

import pytest
import torch
from glmflow.models.heads.coverage_heads import LinearTrackHead, TrackHead
from torch import nn

ZERO_INPUT = 0.480453  # softplus(0) ** 2


@pytest.mark.parametrize("head_class", [TrackHead, LinearTrackHead])
@pytest.mark.parametrize("n_tracks", [1, 3])
def test_track_heads_keep_the_length_and_are_positive(head_class, n_tracks):
    torch.manual_seed(0)
    head = head_class(32, n_tracks=n_tracks)
    with torch.no_grad():
        tracks = head(10 * torch.randn(2, 32_000, 32))
    assert tracks.shape == (2, n_tracks, 32_000)
    assert (tracks > 0).all()


@pytest.mark.parametrize("head_class", [TrackHead, LinearTrackHead])
@pytest.mark.parametrize("training", [True, False])
def test_zero_states_give_softplus_of_zero_squared(head_class, training):
    tracks = head_class(64).train(training)(torch.zeros(1, 50, 64))
    torch.testing.assert_close(tracks, torch.full((1, 1, 50), ZERO_INPUT), atol=1e-6, rtol=0)


def test_one_track_by_default():
    assert TrackHead(64)(torch.randn(2, 10, 64)).shape == (2, 1, 10)


def test_each_track_has_a_scale_of_its_own():
    head = TrackHead(64, n_tracks=2).eval()
    states = torch.randn(1, 20, 64)
    before = head(states)
    with torch.no_grad():
        head.scale[1] = 5.0
    after = head(states)
    torch.testing.assert_close(after[:, 0], before[:, 0])
    torch.testing.assert_close(after[:, 1], before[:, 1] * (nn.functional.softplus(torch.tensor(5.0)) / 0.6931472))


def test_a_base_of_the_track_head_sees_three_on_each_side():
    head = TrackHead(16).eval()
    states = torch.randn(1, 41, 16, requires_grad=True)
    head(states)[0, 0, 20].backward()
    seen = states.grad[0].abs().sum(-1).nonzero().flatten()
    assert seen.min() >= 17
    assert seen.max() <= 23
    assert len(seen) == 7


def test_track_head_follows_the_published_layers():
    head = TrackHead(1024)
    convolutions = [layer for layer in head.modules() if isinstance(layer, nn.Conv1d)]
    shapes = [(c.in_channels, c.out_channels, *c.kernel_size, *c.padding, *c.dilation) for c in convolutions]
    assert shapes == [(1024, 256, 3, 1, 1), (256, 64, 3, 2, 2), (64, 1, 1, 0, 1)]
    assert [layer.p for layer in head.modules() if isinstance(layer, nn.Dropout)] == [0.1, 0.1]


def test_genos_with_track_head_has_the_published_number_of_parameters():
    from transformers import MixtralConfig, MixtralModel

    config = MixtralConfig(
        vocab_size=128,
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=12,
        num_attention_heads=16,
        num_key_value_heads=8,
        num_local_experts=8,
    )
    with torch.device("meta"):
        modules = [MixtralModel(config), TrackHead(1024)]
    assert sum(p.numel() for module in modules for p in module.parameters()) == 1_246_799_874


@pytest.mark.parametrize("head_class", [TrackHead, LinearTrackHead])
def test_every_parameter_is_trained(head_class):
    torch.manual_seed(0)
    head = head_class(32, dropout=0.0) if head_class is not LinearTrackHead else head_class(32)
    (head(torch.randn(2, 30, 32)) ** 2).sum().backward()
    assert all(p.grad is not None for p in head.parameters())
    assert all(p.grad.abs().sum() > 0 for p in head.parameters() if p.dim() > 1)


def test_bfloat16_states_give_float32_tracks():
    head = TrackHead(32).bfloat16().eval()
    assert head(torch.randn(1, 16, 32).bfloat16()).dtype == torch.float32
