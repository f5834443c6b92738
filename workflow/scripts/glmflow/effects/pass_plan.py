"""How many passes a run makes, and how long one takes on this machine."""

from __future__ import annotations

import time

import numpy as np

from glmflow.genome.first_look import FirstLook

from .likelihood_model import LikelihoodModel, scoring
from .score_catalogue import Asked
from .scored_edits import MASKING, Settings

SECONDS = 1.0
"""Passes are timed about so long."""


def planned(model: LikelihoodModel, found: FirstLook, asked: Asked, settings: Settings) -> float:
    """Return about how many passes scoring takes, on both strands.

    Masked sites count once for all their alternatives, reference windows once; a pass from a shared beginning counts as
    the part of the window that it reads, half.
    """
    tokens = max(1, settings.window // model.k)
    edits = found.equal + (found.changed if asked.changed else 0)
    total = 0.0
    if "llr" in asked.names or "llr_marginal" in asked.names:
        total += found.sites
    if "pll" in asked.names:
        total += tokens * (found.windows + (edits if "pll" in asked.equal else found.changed))
    pairs = [name for name in asked.names if name not in MASKING and not (name == "next" and model.kind == "kmer")]
    if pairs:
        own = edits if any(name in asked.equal for name in pairs) else found.changed
        windows = found.windows if own == edits else min(found.windows, own)
        total += windows + own * (0.5 if model.continues() else 1)
    if "next" in asked.names and model.kind == "kmer":
        total += found.sites
    frames = model.k if settings.frames == "all" and model.kind == "kmer" else 1
    return 2 * frames * total


def timed(model: LikelihoodModel, window: int) -> float:
    """Return passes a second over random windows, in batches as a run makes them."""
    generator = np.random.default_rng(0)
    size = model.rows_per_batch(max(1, window // model.k))
    codes = np.frombuffer(b"ACGT", np.uint8)[generator.integers(0, 4, (size, window // model.k * model.k))]
    rows = model.tokenize(codes)
    ids = model.ids(rows.ids[:, : int(rows.length.min())])
    done, begin = 0, 0.0
    with scoring():
        model.states(ids)
        begin = time.monotonic()
        while not done or time.monotonic() - begin < SECONDS:
            model.states(ids)
            done += size
    return done / (time.monotonic() - begin)
