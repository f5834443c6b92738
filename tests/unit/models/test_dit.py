"""Diffusion transformers: layouts, both sides, padding, and that they learn by masked diffusion."""

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.patch_layouts import Layout, hilbert
from glmflow.plan.resources import shape_of

TINY = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "context": 64}


def stirred(**config):
    """A model whose gates, zero at the start, are open."""
    model = new_model("dit", TINY | config).eval()
    with torch.no_grad():
        for number, parameter in enumerate(model.network.parameters()):
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
    return model


@pytest.mark.parametrize("side", [1, 2, 8, 16])
def test_a_hilbert_curve_goes_through_every_place_in_steps_of_one(side):
    places = hilbert(side)
    assert len({tuple(place) for place in places.tolist()}) == side**2
    assert (places[1:] - places[:-1]).abs().sum(1).tolist() == [1] * (side**2 - 1)


def test_square_patches_of_a_grid_hold_neighbours_of_the_picture():
    layout = Layout("grid", 4, 16)  # 4 x 4 bases, patches of 2 x 2
    cut = layout.cut(torch.arange(16)[None])
    assert cut[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    assert layout.join(cut)[0].tolist() == list(range(16))
    assert layout.positions(4).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_patch_on_a_hilbert_curve_is_a_stretch_that_fills_a_square():
    places = hilbert(8).view(-1, 4, 2)
    assert ((places.amax(1) - places.amin(1)) == 1).all()
    assert Layout("hilbert", 4, 64).positions(16).tolist() == (places.amin(1) // 2).tolist()


@pytest.mark.parametrize("layout", ["line", "grid", "hilbert"])
@pytest.mark.parametrize("patch", [1, 4])
def test_every_base_sees_both_sides_and_padding_changes_nothing(layout, patch):
    model = stirred(layout=layout, patch=patch)
    ids = torch.randint(2, 6, (1, 45), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        alone = model(ids).logits
        for changed in (0, 44):
            other = ids.clone()
            other[0, changed] = 5 if ids[0, changed] != 5 else 2
            assert (model(other).logits - alone).abs().amax((0, 2)).gt(0).all()
        padded = torch.cat([ids, torch.zeros(1, 19, dtype=torch.int64)], 1)
        mask = (torch.arange(64) < 45).long()[None]
        torch.testing.assert_close(model(padded, mask).logits[:, :45], alone, atol=1e-5, rtol=0)


def test_bases_of_one_patch_have_logits_of_their_own():
    model = stirred(patch=4)
    logits = model(torch.full((1, 8), 1)).logits[0]
    assert (logits[0] - logits[1]).abs().max() > 0.01


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"layout": "grid", "patch": 3}, "no square"),
        ({"layout": "grid", "context": 60}, "no square of patches"),
        ({"layout": "hilbert", "context": 36}, "powers of two"),
        ({"layout": "spiral"}, "not known"),
        ({"hidden_size": 18}, "heads"),
    ],
)
def test_what_cannot_be_laid_out_is_one_line(config, message):
    with pytest.raises(InputError, match=message):
        new_model("dit", TINY | config)


def test_saved_and_read_again(tmp_path):
    model = stirred(layout="hilbert", patch=4)
    model.save(tmp_path / "model")
    ids = torch.randint(2, 6, (2, 64), generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(load_model(tmp_path / "model")(ids).logits, model(ids).logits)


def test_the_plan_counts_what_is_there():
    for config in (TINY, TINY | {"patch": 4, "convolution": 0, "mlp_ratio": 2}):
        made = new_model("dit", config)
        assert shape_of(config, "dit").parameters == sum(
            parameter.numel() for name, parameter in made.named_parameters() if "head" not in name
        )
