"""Rotary frequencies of the methods that stretch a model's context, as pure functions of numbers.

A rotary position embedding turns pair ``d`` of a head's features by the angle ``position * theta[d]``
with ``theta[d] = base ** (-2 d / head_dim)`` (Su et al. 2021, arXiv 2104.09864). A model trained on
``L`` positions has seen each pair turn by at most ``L * theta[d]``; the methods below differ in how
they keep ``factor * L`` positions within what has been seen, and in the attention factor ``m`` by which
cosines and sines (so logits by ``m ** 2``) are multiplied.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Frequencies = NDArray[np.float64]


@dataclass(frozen=True)
class Rotary:
    """A rotary embedding as it was trained.

    Parameters
    ----------
    head_dim
        Rotated features of a head (twice the number of pairs).
    base
        Base of the geometric series of frequencies (``rope_theta``).
    original_length
        Positions of the longest training sequence, L.
    unit
        What positions were multiplied by in training: 1, or 1/128 for an Evo 2 checkpoint that divides
        them by 128.
    """

    head_dim: int
    base: float
    original_length: float
    unit: float = 1.0

    @property
    def pair(self) -> Frequencies:
        """Indices of the pairs, ``[head_dim / 2]``."""
        return np.arange(self.head_dim // 2, dtype=np.float64)

    @property
    def theta(self) -> Frequencies:
        """Trained frequencies in radians a position, ``[head_dim / 2]``."""
        return self.unit * self.base ** (-2 * self.pair / self.head_dim)

    def pair_of_rotations(self, rotations: float) -> float:
        """Return the (fractional) pair that turns `rotations` times within the original length."""
        turns_of_first = self.unit * self.original_length / (2 * math.pi)
        return self.head_dim * math.log(turns_of_first / rotations) / (2 * math.log(self.base))

    def stretch(self, length: int | None) -> int:
        """Return how many original lengths `length` positions fill, rounded up (1 where it is not known)."""
        return 1 if length is None else max(1, math.ceil(length / self.original_length))


Method = Callable[..., tuple[Frequencies, float]]


def none(rotary: Rotary, factor: float) -> tuple[Frequencies, float]:
    """Keep the trained frequencies: naive extrapolation."""
    return rotary.theta, 1.0


def pi(rotary: Rotary, factor: float) -> tuple[Frequencies, float]:
    """Position interpolation: every frequency divided by the factor (Chen et al. 2023, arXiv 2306.15595)."""
    return rotary.theta / factor, 1.0


def ntk(rotary: Rotary, factor: float) -> tuple[Frequencies, float]:
    """NTK-aware: a larger base, so that the slowest pair is interpolated fully and the fastest not at all.

    ``base * factor ** (D / (D - 2))`` (Peng et al. 2023, arXiv 2309.00071, section 3.1).
    """
    return rotary.theta * factor ** (-2 * rotary.pair / (rotary.head_dim - 2)), 1.0


def dynamic_ntk(rotary: Rotary, factor: float, *, length: int | None = None) -> tuple[Frequencies, float]:
    """NTK-aware with a factor that grows with the input: ``factor * T / L - (factor - 1)`` for ``T > L``.

    Inputs within the original length are left alone; a factor of 1 stretches to exactly ``T / L``.
    """
    longest = max(length or 0, rotary.original_length)
    return ntk(rotary, factor * longest / rotary.original_length - (factor - 1))


def ntk_by_parts(
    rotary: Rotary, factor: float, *, beta_fast: float = 32, beta_slow: float = 1, truncate: bool = True
) -> tuple[Frequencies, float]:
    """Interpolate slow pairs, keep fast ones, blend between (as `ntk`, section 3.2).

    Parameters
    ----------
    rotary, factor
        The trained embedding and the factor of extension.
    beta_fast, beta_slow
        Pairs that turn more than `beta_fast` times within the original length are kept, those that turn
        less than `beta_slow` times are interpolated.
    truncate
        Whether the ends of the blend are rounded outwards to whole pairs, as published.
    """
    low, high = rotary.pair_of_rotations(beta_fast), rotary.pair_of_rotations(beta_slow)
    if truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), max(0, min(high, rotary.head_dim - 1))
    if low == high:
        high += 0.001
    ramp = np.clip((rotary.pair - low) / (high - low), 0, 1)
    return rotary.theta * (1 - ramp) + rotary.theta / factor * ramp, 1.0


def yarn(
    rotary: Rotary,
    factor: float,
    *,
    attention_factor: float | None = None,
    beta_fast: float = 32,
    beta_slow: float = 1,
    truncate: bool = True,
) -> tuple[Frequencies, float]:
    """NTK-by-parts with sharper attention (Peng et al. 2023, arXiv 2309.00071, section 3.4).

    Parameters
    ----------
    rotary, factor
        The trained embedding and the factor of extension.
    attention_factor
        Multiplier of cosines and sines; ``0.1 ln(factor) + 1`` where not given, 1 for none.
    beta_fast, beta_slow, truncate
        See `ntk_by_parts`.
    """
    theta, _ = ntk_by_parts(rotary, factor, beta_fast=beta_fast, beta_slow=beta_slow, truncate=truncate)
    return theta, 0.1 * math.log(factor) + 1 if attention_factor is None else attention_factor


def gene(
    rotary: Rotary,
    factor: float,
    *,
    length: int | None = None,
    scale: float | None = None,
    num_rotations: float = 3,
) -> tuple[Frequencies, float]:
    """GeNE: generalised NTK exponents, tuned with a scale drawn for every batch (Li et al. 2024).

    ``theta * scale ** -w`` with ``w = clip(d / beta, 0, 1)`` and `beta` the first pair that turns fewer
    than `num_rotations` times within the original length. While tuning `scale` is drawn
    (`glmflow.context.sampling`); at test it is the factor, or what the input needs where that is more.
    """
    slow = rotary.original_length * rotary.theta < 2 * math.pi * num_rotations
    beta = int(np.argmax(slow)) if slow.any() else rotary.head_dim // 2
    weight = np.clip(rotary.pair / beta, 0, 1) if beta else np.ones_like(rotary.pair)
    scale = max(factor, rotary.stretch(length)) if scale is None else scale
    return rotary.theta * scale**-weight, 1.0


def clex(
    rotary: Rotary, factor: float, *, length: int | None = None, scale: float | None = None
) -> tuple[Frequencies, float]:
    """CLEX before it is tuned: NTK-aware with ``2 t - 1`` at stretch `t` (arXiv 2310.16450).

    `t` is what the input needs, at most `factor` (`factor` itself where the input's length is not
    known). What tuning adds is learned by `glmflow.context.clex.FrequencyField`.
    """
    return ntk(rotary, 2 * clex_stretch(rotary, factor, length, scale) - 1)


def clex_stretch(rotary: Rotary, factor: float, length: int | None, scale: float | None) -> float:
    """Return the stretch `t` at which CLEX reads its frequencies."""
    if scale is not None:
        return scale
    return factor if length is None else min(rotary.stretch(length), factor)


def pose(rotary: Rotary, factor: float, *, frequencies: str = "pi", **settings) -> tuple[Frequencies, float]:
    """PoSE: another method's frequencies, tuned on short inputs with skipped positions (arXiv 2309.10400).

    The positions are drawn by `glmflow.context.sampling`; `frequencies` names the method whose
    frequencies are used.
    """
    return method_named(frequencies)(rotary, factor, **settings)


def llama3(
    rotary: Rotary, factor: float, *, low_freq_factor: float = 1, high_freq_factor: float = 4
) -> tuple[Frequencies, float]:
    """Llama 3.1: keep wavelengths below ``L / high``, interpolate those above ``L / low``, blend between.

    (Grattafiori et al. 2024, arXiv 2407.21783; the formula is that of Meta's published code.)
    """
    rotations = rotary.original_length * rotary.theta / (2 * math.pi)
    kept = np.clip((rotations - low_freq_factor) / (high_freq_factor - low_freq_factor), 0, 1)
    return (1 - kept) * rotary.theta / factor + kept * rotary.theta, 1.0


def longrope(
    rotary: Rotary,
    factor: float,
    *,
    long_factor: Sequence[float],
    short_factor: Sequence[float] | None = None,
    attention_factor: float | None = None,
    length: int | None = None,
) -> tuple[Frequencies, float]:
    """LongRoPE: a divisor for each pair, found by search (Ding et al. 2024, arXiv 2402.13753).

    Parameters
    ----------
    rotary, factor
        The trained embedding and the factor of extension.
    long_factor, short_factor
        Divisors ``[head_dim / 2]`` of the frequencies beyond and within the original length; within it
        1 where not given.
    attention_factor
        Multiplier of cosines and sines; ``sqrt(1 + ln(factor) / ln(L))`` where not given.
    length
        Positions of the input.
    """
    short_factor = np.ones(rotary.head_dim // 2) if short_factor is None else short_factor
    for divisors in (long_factor, short_factor):
        if len(divisors) != rotary.head_dim // 2:
            raise InputError(
                f"longrope has {len(divisors)} divisors for {rotary.head_dim // 2} pairs of rotated features",
                fix="Give one number a pair.",
            )
    divisor = np.asarray(long_factor if rotary.stretch(length) > 1 else short_factor, dtype=np.float64)
    if attention_factor is None:
        attention_factor = math.sqrt(1 + math.log(factor) / math.log(rotary.original_length))
    return rotary.theta / divisor, attention_factor


def overstretch(
    rotary: Rotary,
    factor: float,
    *,
    exponent: float = 1.5,
    attention_factor: float | None = None,
    beta_fast: float = 32,
    beta_slow: float = 1,
    truncate: bool = True,
) -> tuple[Frequencies, float]:
    """YaRN whose slow pairs are interpolated by more than the target needs: ``factor ** exponent``.

    A method of this project, for DNA. What a distant repeat tells does not depend on how distant it is, so its
    distance needs no resolution; that all distances look near, where the model has met most repeats in training,
    lets it find those beyond the lengths it is tuned on. Fast pairs, which keep the local order, are left alone, and
    the attention factor stays that of `factor` (docs/context.md has the measurements).

    Parameters
    ----------
    rotary, factor
        The trained embedding and the factor of extension.
    exponent
        1 is YaRN.
    attention_factor, beta_fast, beta_slow, truncate
        See `yarn`.
    """
    settings = {"beta_fast": beta_fast, "beta_slow": beta_slow, "truncate": truncate}
    _, attention_factor = yarn(rotary, factor, attention_factor=attention_factor, **settings)
    theta, _ = ntk_by_parts(rotary, factor**exponent, **settings)
    return theta, attention_factor


METHODS: dict[str, Method] = {
    method.__name__: method
    for method in (none, pi, ntk, dynamic_ntk, ntk_by_parts, yarn, gene, clex, pose, llama3, longrope, overstretch)
}


def method_named(name: str) -> Method:
    """Return the method called `name`, or raise `InputError` with those there are."""
    if name not in METHODS:
        raise InputError(f"there is no extension method '{name}'", fix=f"Take one of {', '.join(METHODS)}.")
    return METHODS[name]


def settings_of(method: str) -> set[str]:
    """Return the names of the settings that `method` takes."""
    parameters = inspect.signature(method_named(method)).parameters.values()
    return {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}


def depends_on_length(method: str, settings: dict) -> bool:
    """Say whether the frequencies of `method` change with the length of the input."""
    if method == "pose":
        return depends_on_length(settings.get("frequencies", "pi"), {})
    return "length" in settings_of(method)


def inverse_frequencies(
    method: str,
    head_dim: int,
    base: float,
    original_length: float,
    factor: float,
    *,
    unit: float = 1.0,
    **settings,
) -> tuple[NDArray[np.float32], float]:
    """Return the frequencies and the attention factor of an extension method.

    Parameters
    ----------
    method
        One of `METHODS`.
    head_dim
        Rotated features of a head, even and at least 4.
    base
        Base of the trained frequencies (``rope_theta``).
    original_length
        Positions of the longest sequence the model was trained on.
    factor
        Target length over original length, at least 1.
    unit
        What positions were multiplied by in training (see `Rotary`).
    **settings
        The method's own, named in its function (``length``: positions of the input, for those that
        depend on it).

    Returns
    -------
    inv_freq
        float32 ``[head_dim / 2]``, radians a position.
    attention_factor
        What cosines and sines are multiplied by.

    Raises
    ------
    InputError
        Where the method or a setting is not known, or a number makes no sense.
    """
    if head_dim < 4 or head_dim % 2:
        raise InputError(f"a rotary embedding of {head_dim} features", fix="Give an even number of at least 4.")
    if factor < 1 or original_length <= 0 or base <= 1:
        raise InputError(
            f"factor {factor}, original length {original_length} and base {base} cannot be used together",
            fix="The factor is at least 1, the original length positive, the base above 1.",
        )
    _check_settings(method, settings)
    rotary = Rotary(head_dim, base, original_length, unit)
    theta, attention_factor = method_named(method)(rotary, factor, **settings)
    return theta.astype(np.float32), float(attention_factor)


def _check_settings(method: str, settings: dict) -> None:
    """Raise `InputError` for a setting that the method (for PoSE: the one it borrows from) does not take."""
    allowed = settings_of(method)
    if method == "pose":
        allowed |= settings_of(settings.get("frequencies", "pi"))
    if unknown := set(settings) - allowed:
        raise InputError(
            f"extension method '{method}' has no setting {', '.join(sorted(unknown))}",
            fix=f"It takes {', '.join(sorted(allowed))}." if allowed else "It takes none.",
        )
    required = {
        parameter.name
        for parameter in inspect.signature(method_named(method)).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    if missing := required - set(settings):
        raise InputError(f"extension method '{method}' needs {', '.join(sorted(missing))}", fix="Add the setting.")
