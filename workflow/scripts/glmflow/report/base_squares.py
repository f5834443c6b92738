"""Squares with a base a pixel, as PNG."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from glmflow.errors import InputError

COLOURS = {"A": "009E73", "C": "0072B2", "G": "F0E442", "T": "D55E00"}
"""Colours that are told apart without red, green or blue cones (Okabe and Ito); other letters are black."""


def base_square(bases: str, side: int) -> bytes:
    """Return a PNG of `side` by `side` pixels, the bases row by row from the top left.

    Raises
    ------
    InputError
        There are not ``side ** 2`` bases.
    """
    from matplotlib.image import imsave

    if len(bases) != side * side:
        raise InputError(f"{len(bases)} bases make no square of {side}")
    palette = np.zeros((256, 3), np.uint8)
    for base, colour in COLOURS.items():
        palette[[ord(base), ord(base.lower())]] = list(bytes.fromhex(colour))
    pixels = palette[np.frombuffer(bases.encode("latin-1"), np.uint8)].reshape(side, side, 3)
    file = BytesIO()
    imsave(file, pixels, format="png")
    return file.getvalue()
