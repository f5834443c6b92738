"""Scaling of coverage into a range a model can learn, and its exact inverse."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from glmflow.errors import InputError

POWER = 0.75
Variant = Literal["alphagenome", "genos"]


def scale_targets(
    targets: Any, track_mean: Any, squash: bool = True, clip: float = 10.0, variant: Variant = "alphagenome"
) -> Any:
    r"""Scale coverage by the mean of its track, squash it and clip it softly.

    With :math:`x = t / \mathrm{mean}`, raised to the power 0.75 where squashed, values above `clip` become
    :math:`2\sqrt{x \cdot clip} - clip`, which joins with slope 1. The two published variants differ only for
    tracks that are not squashed: AlphaGenome (Avsec et al. 2025, doi:10.1101/2025.06.25.661532) clips those
    too, Genos and OneGenome-Rice do not. RNA-seq is squashed, so that both agree on it.

    Parameters
    ----------
    targets
        Coverage, not negative; a numpy array or torch tensor of any shape.
    track_mean
        Mean of the track over its non-zero bases; broadcasts against `targets`.
    squash
        Raise to the power 0.75; for RNA-seq.
    clip
        Where the soft clip begins, in scaled units.
    variant
        Clip every track (`alphagenome`), or squashed tracks alone (`genos`).

    Returns
    -------
    array or tensor
        Scaled targets, of the kind and shape of `targets`.

    Raises
    ------
    InputError
        A target is negative, for which a power is not defined; or the track has no mean above 0.
    """
    targets = _array(targets)
    if (targets < 0).any():
        raise InputError("a target is negative", fix="Turn the sign of a track that is stored as negative.")
    x = targets / _positive(track_mean)
    if squash:
        x = x**POWER
    if squash or variant == "alphagenome":
        above = (x - clip).clip(min=0)
        x = x.clip(max=clip) + 2 * clip * ((1 + above / clip) ** 0.5 - 1)
    return x


def unscale_predictions(
    scaled: Any, track_mean: Any, squash: bool = True, clip: float = 10.0, variant: Variant = "alphagenome"
) -> Any:
    """Turn scaled values back into coverage: the exact inverse of `scale_targets`.

    Parameters
    ----------
    scaled
        Scaled values, not negative; a numpy array or torch tensor of any shape.
    track_mean, squash, clip, variant
        As the targets were scaled with.

    Returns
    -------
    array or tensor
        Coverage, of the kind and shape of `scaled`.

    Raises
    ------
    InputError
        The track has no mean above 0.
    """
    x = _array(scaled)
    if squash or variant == "alphagenome":
        x = x + (x - clip).clip(min=0) ** 2 / (4 * clip)
    if squash:
        x = x ** (1 / POWER)
    return x * _positive(track_mean)


def _array(values: Any) -> Any:
    """Leave a tensor as it is; anything else becomes a floating-point array."""
    if type(values).__module__.partition(".")[0] == "torch":
        return values
    values = np.asarray(values)
    return values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)


def _positive(track_mean: Any) -> Any:
    """Return the mean of a track once it is known to be above 0."""
    track_mean = track_mean if np.isscalar(track_mean) else _array(track_mean)
    above = track_mean > 0
    if not (above if isinstance(above, bool) else above.all()):
        raise InputError("the mean of a track is not above 0", fix="Leave out a track without signal.")
    return track_mean
