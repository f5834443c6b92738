"""One colour a model, the same on every page and figure, distinct for colour-blind readers as well."""

from __future__ import annotations

from collections.abc import Iterable

# Okabe & Ito (2008), without yellow and black, and six that keep apart from all of them for
# readers without red, green or blue cones (tests/unit/report/test_colour_vision.py).
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#332288", "#9900FF", "#663311", "#9977FF", "#441155", "#EE0044",
)  # fmt: skip
TRUTH = "#4a4f57"


def colours(models: Iterable[str]) -> dict[str, str]:
    """Return a colour for each model in the order of the study; after twelve they repeat."""
    return {model: COLOURS[place % len(COLOURS)] for place, model in enumerate(dict.fromkeys(models))}
