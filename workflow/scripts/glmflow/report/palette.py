"""One colour a model, the same on every page and figure, told apart by colour-blind readers as well."""

from __future__ import annotations

from collections.abc import Iterable

# Okabe & Ito (2008), without yellow and black, then Paul Tol's "muted" scheme.
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#332288", "#882255", "#999933", "#44AA99", "#AA4499", "#117733",
)  # fmt: skip
TRUTH = "#4a4f57"


def colours(models: Iterable[str]) -> dict[str, str]:
    """Give each model a colour in the order of the study; after twelve they repeat, and labels tell them apart."""
    return {model: COLOURS[place % len(COLOURS)] for place, model in enumerate(dict.fromkeys(models))}
