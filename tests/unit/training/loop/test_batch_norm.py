"""Batch normalisation over all processes: in one process it is torch's own."""

import copy

import pytest
import torch
from glmflow.training.loop.batch_norm import SharedBatchNorm, share_batch_norm
from torch import nn


@pytest.fixture
def group(tmp_path):
    """A process group of this process alone."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5)])
def test_one_process_has_torchs_values_gradients_and_statistics(group, shape):
    torch.manual_seed(0)
    plain = nn.Sequential(nn.BatchNorm1d(3, momentum=0.3), nn.Tanh())
    plain[0].weight.data, plain[0].bias.data = torch.randn(2, 3)
    shared = share_batch_norm(copy.deepcopy(plain))
    assert isinstance(shared[0], SharedBatchNorm) and shared.state_dict().keys() == plain.state_dict().keys()
    given = [
        (5 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(1))).requires_grad_() for _ in range(2)
    ]
    toward = torch.randn(shape)
    found, expected = shared(given[0]), plain(given[1])
    torch.testing.assert_close(found, expected)
    for values in (found, expected):
        (values * toward).sum().backward()
    torch.testing.assert_close(given[0].grad, given[1].grad, atol=1e-5, rtol=1e-4)
    for one, other in zip(shared.parameters(), plain.parameters()):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(shared.state_dict(), plain.state_dict())
    torch.testing.assert_close(shared.eval()(given[0]), plain.eval()(given[1]))


def test_without_a_group_it_is_torchs_own_layer():
    torch.manual_seed(0)
    plain, x = nn.Sequential(nn.BatchNorm1d(3)), torch.randn(7, 3)
    assert torch.equal(share_batch_norm(copy.deepcopy(plain))(x), plain(x))
