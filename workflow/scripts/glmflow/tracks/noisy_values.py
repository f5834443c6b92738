"""Whether one track is another one with noise laid on every value, or a measurement of its own.

Two measurements differ as reads do: over the length of a read at a time, and less, for their level, where there are many.
Noise that someone adds differs from one value to the next, and is a share of each value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 200
"""Values of their own that say something about noise."""
MOST = 0.7
"""Standard deviation of the logarithm of a ratio beyond which a measurement says nothing."""
MASKED = 0.01
"""Share of the bases with a value in both that may have one in one of them alone."""
TURNED = 0.05
"""Share of values that noise may carry to the other side of 0: of half a value on each, 2.3 %."""
ALONG = 0.2
"""Correlation of the noise of neighbouring values beyond which it is that of reads."""
BY_LEVEL = 1.3
"""How many times as large noise may be in the lower third of values as in the upper third; that of counts at twice the
level is 1.4 times as small."""
TAILS = 6.0


LARGEST = 50.0
"""Values beyond which a track is no logarithm."""
UNDO: dict[str, Callable[[NDArray], NDArray]] = {
    "root": np.square,
    "logarithm": np.expm1,
    "logarithm to base 2": lambda values: np.exp2(values) - 1,
    "logarithm to base 10": lambda values: 10.0**values - 1,
}
"""What undoes a transformation that tracks are written in; 0 stays 0, and a sign its own."""


class Noise(NamedTuple):
    """`b` = `factor` times `a` times (1 + noise of standard deviation `sd`), once `undone` (one of `UNDO`) is taken off.

    It is taken off the second, or of the first where `first`.
    """

    factor: float
    sd: float
    undone: str = ""
    first: bool = False

    def alike(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the values of both tracks as the factor stands between them."""
        if not self.undone:
            return x, y
        return (without(x, self.undone), y) if self.first else (x, without(y, self.undone))


def without(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return values with a transformation of `UNDO` taken off."""
    return np.sign(values) * UNDO[name](np.abs(values))


def noise_or_transformation(x: NDArray[np.float64], y: NDArray[np.float64]) -> Noise | None:
    """Return the least noise that turns a first track, or what it is a root or logarithm of, into a second, or the reverse."""
    found = [noise_between(x, y)]
    for name in UNDO:
        for first, values in ((False, y), (True, x)):
            if name == "root" or np.abs(values).max(initial=0) <= LARGEST:
                one = noise_between(*Noise(1, 0, name, first).alike(x, y))
                found.append(one and one._replace(undone=name, first=first))
    return min(filter(None, found), key=lambda one: one.sd, default=None)


def noise_between(x: NDArray[np.float64], y: NDArray[np.float64]) -> Noise | None:
    """Return the noise that turns a first track into a second; None where they differ as measurements do.

    Parameters
    ----------
    x, y
        Values of the same bases, 0 where there is none.
    """
    some_x, some_y = x != 0, y != 0
    both = some_x & some_y
    if both.sum() < FEWEST or (some_x != some_y).sum() > MASKED * both.sum():
        return None
    begins = np.append(0, np.flatnonzero((np.diff(x) != 0) | (np.diff(y) != 0)) + 1)
    known = both[begins]
    ratio = y[begins[known]] / x[begins[known]]
    sign = np.sign(np.median(ratio))
    same_side = np.sign(ratio) == sign
    if len(ratio) < FEWEST or np.mean(~same_side) > TURNED:
        return None
    known[known] = same_side
    logs = np.log(ratio[same_side] * sign)
    middle = float(np.median(logs))
    logs -= middle
    sd = float(1.4826 * np.median(np.abs(logs)))
    if not 0 < sd <= MOST or np.mean(np.abs(logs) > TAILS * sd) > MASKED:
        return None
    place = np.flatnonzero(known)
    next_to = np.flatnonzero(np.diff(place) == 1)
    if len(next_to) < FEWEST / 2 or abs(np.corrcoef(logs[next_to], logs[next_to + 1])[0, 1]) > ALONG:
        return None
    level = np.abs(x[begins[known]])
    low, high = np.quantile(level, [1 / 3, 2 / 3])
    if high >= 2 * low and np.std(logs[level <= low]) > BY_LEVEL * np.std(logs[level >= high]):
        return None
    return Noise(float(sign * np.exp(middle)), sd)
