"""One colour a model, the same on every page and figure, distinct for colour-blind readers as well."""

from __future__ import annotations

from collections.abc import Iterable

# Okabe & Ito (2008), without yellow and black, then Paul Tol's "muted" scheme.
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#332288", "#882255", "#999933", "#44AA99", "#AA4499", "#117733",
)  # fmt: skip
TRUTH = "#4a4f57"


def colours(models: Iterable[str]) -> dict[str, str]:
    """Return a colour for each model in the order of the study; after twelve they repeat."""
    return {model: COLOURS[place % len(COLOURS)] for place, model in enumerate(dict.fromkeys(models))}
