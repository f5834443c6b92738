"""Colours of models as readers with each kind of colour blindness see them."""

from itertools import combinations

import numpy as np
import pytest
from glmflow.report.palette import COLOURS, TRUTH

SEEN_BY = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""What is seen of linear RGB: Machado, Oliveira & Fernandes (2009), doi:10.1109/TVCG.2009.113, severity 1."""
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = np.array([0.95047, 1, 1.08883])
JUST_SEEN = 2.3
"""A difference of CIELAB (1976) that is just seen (Mahy et al. 1994)."""


def lab(colour, seen):
    """Return a colour of sRGB in CIELAB, after what a reader's eyes make of it."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    share = TO_XYZ @ np.clip(np.asarray(seen) @ linear, 0, 1) / WHITE
    f = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_lab_of_known_colours():
    """Bruce Lindbloom's calculator (sRGB, D65)."""
    np.testing.assert_allclose(lab("#FFFFFF", np.eye(3)), [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(lab("#FF0000", np.eye(3)), [53.24, 80.09, 67.20], atol=0.02)


@pytest.mark.parametrize("reader", SEEN_BY)
def test_no_two_models_look_alike(reader):
    colours = [lab(colour, SEEN_BY[reader]) for colour in (*COLOURS, TRUTH)]
    nearest = min(np.linalg.norm(one - other) for one, other in combinations(colours, 2))
    assert nearest > 6 * JUST_SEEN
