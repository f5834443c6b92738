"""Multiresolution convolutions: by hand, against stored outputs, their reach, causality, gating, sizes."""

import json
import os
from pathlib import Path

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.wavelets import levels_for, multiresolution, reach_of, start_filters
from glmflow.plan.resources import shape_of

CONFIG = {"hidden_size": 24, "num_layers": 1, "context": 16}


def test_one_level_by_hand():
    x = torch.tensor([[[1.0, 2.0, 4.0]]])
    one = torch.ones(1)
    low, high = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.5, -0.5]])
    y = multiresolution(x, low, high, 10 * one, 100 * one, 1000 * one[None])
    mean, difference = torch.tensor([0.5, 1.5, 3.0]), torch.tensor([0.5, 0.5, 1.0])
    torch.testing.assert_close(y[0, 0], 10 * x[0, 0] + 100 * mean + 1000 * difference)


def test_stored_outputs():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    files = sorted(Path(folder, "genomes/expected").glob("wavelet_*.json")) if folder else []
    if not files:
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    for path in files:
        wanted = json.loads(path.read_text())
        x, h0, h1, wx, w0, w, y = (
            torch.tensor(wanted[name], dtype=torch.float64) for name in ("x", "h0", "h1", "wx", "w0", "w", "y")
        )
        assert levels_for(len(x), wanted["K"]) == wanted["J"]
        found = multiresolution(x.T[None], h0, h1, wx, w0, w)[0].T
        torch.testing.assert_close(found, y, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("taps", "reach"), [(2, 1), (2, 16), (2, 17), (3, 100), (4, 1000)])
def test_levels_are_the_fewest_that_reach(taps, reach):
    levels = levels_for(reach, taps)
    assert reach_of(levels, taps) >= reach
    assert levels == 1 or reach_of(levels - 1, taps) < reach


@pytest.mark.parametrize("taps", [2, 3])
def test_it_sees_exactly_its_reach(taps):
    levels = 3
    generator = torch.Generator().manual_seed(taps)
    weights = [torch.rand(size, generator=generator, dtype=torch.float64) + 0.1 for size in ((1, taps),) * 2]
    more = [torch.rand(1, generator=generator, dtype=torch.float64) + 0.1 for _ in range(2)]
    x = torch.zeros(1, 1, 40, dtype=torch.float64, requires_grad=True)
    w = torch.rand(levels, 1, generator=generator, dtype=torch.float64) + 0.1
    (slope,) = torch.autograd.grad(multiresolution(x, *weights, *more, w)[0, 0, -1], x)
    reach = reach_of(levels, taps)
    assert (slope[0, 0, -reach:] != 0).all() and (slope[0, 0, :-reach] == 0).all()


def test_filters_start_as_mean_and_difference():
    low, high = start_filters(2, 3)
    assert low[0].tolist() == [0.5, 0.5, 0.0] and high[1].tolist() == [0.5, -0.5, 0.0]


def test_what_stands_to_the_right_changes_nothing():
    network = new_model("wavelet", CONFIG, seed=1).network.double().eval()
    ids = torch.randint(2, 6, (1, 40), generator=torch.Generator().manual_seed(1))
    changed = ids.clone()
    changed[0, 20] = 2 + (ids[0, 20] - 1) % 4
    one, other = network.states(ids), network.states(changed)
    torch.testing.assert_close(one[:, :20], other[:, :20], rtol=0, atol=1e-12)
    differs = (one - other).abs().amax(-1)[0] > 1e-12
    assert differs[20:36].all() and not differs[36:].any(), "one layer reaches 16 bases"


def test_going_on_is_the_whole_sequence():
    network = new_model("wavelet", CONFIG | {"num_layers": 2}, seed=1).network.double().eval()
    ids = torch.randint(2, 6, (2, 50), generator=torch.Generator().manual_seed(2))
    states, memory = network.remember(ids[:, :33])
    rest = network.go_on(memory, torch.arange(2), 33, ids[:, 33:])
    torch.testing.assert_close(torch.cat([states, rest], 1), network.states(ids), rtol=0, atol=1e-12)


def test_the_plan_counts_what_is_there():
    made = new_model("wavelet", CONFIG)
    assert shape_of(CONFIG, "wavelet").parameters == sum(
        p.numel() for name, p in made.named_parameters() if "head" not in name
    )


@pytest.mark.parametrize("config", [{"taps": 9}, {"depth": 3}])
def test_sizes_that_make_no_sense(config):
    with pytest.raises(InputError):
        new_model("wavelet", config)
