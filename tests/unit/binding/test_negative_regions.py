"""Unbound regions: where they lie, and what they are alike in."""

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.negative_regions import ALIKE, negative_regions


@pytest.fixture(scope="module")
def genome():
    """Two contigs in stretches of another GC each, with one stretch of N."""
    rng = np.random.default_rng(0)
    parts = [
        rng.choice(list(b"ACGT"), 5000, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]) for gc in (0.3, 0.5, 0.7) * 20
    ]
    bases = np.concatenate(parts).astype(np.uint8)
    bases[20_000:30_000] = ord("N")
    return {"c1": bases, "c2": bases[::-1].copy()}


@pytest.fixture(scope="module")
def regions():
    starts = np.arange(2_000, 290_000, 4_000)
    starts = starts[(starts < 19_000) | (starts > 31_000)]
    own = [pd.DataFrame({"chrom": name, "start": starts, "end": starts + 400}) for name in ("c1", "c2")]
    return pd.concat(own, ignore_index=True)[lambda rows: (rows["chrom"] == "c1") | (rows["start"] < 260_000)]


def gc_of(genome, rows):
    return np.array([np.isin(genome[row.chrom][row.start : row.end], [67, 71]).mean() for row in rows.itertuples()])


def drawn(genome, regions, matched, accessibility=None):
    contigs = {name: len(bases) for name, bases in genome.items()}
    peaks = regions.assign(start=regions["start"] - 300, end=regions["end"] + 300)
    found, lost = negative_regions(
        regions, peaks, contigs, lambda chrom, start, end: genome[chrom][start:end], matched, accessibility
    )
    return found, peaks, lost


def test_no_unbound_region_shares_a_base_with_a_peak_or_another(genome, regions):
    found, peaks, _ = drawn(genome, regions, False)
    every = pd.concat([found, peaks]).sort_values(["chrom", "start"])
    assert (found["end"] - found["start"] == 400).all()
    for chrom, own in every.groupby("chrom"):
        assert (own["start"].to_numpy()[1:] >= own["end"].to_numpy()[:-1]).all(), chrom
    assert dict(found["chrom"].value_counts()) == dict(regions["chrom"].value_counts())
    unknown = [(genome[row.chrom][row.start : row.end] == ord("N")).mean() for row in found.itertuples()]
    assert max(unknown) <= 0.15


def test_matched_regions_have_the_same_gc(genome, regions):
    rich = regions[gc_of(genome, regions) > 0.6]
    found, _, _ = drawn(genome, rich, True)
    assert len(found) > 0.9 * len(rich)
    # Bases are counted in steps of 16: the first and last ones of a region are not those of the grid.
    assert abs(gc_of(genome, found).mean() - gc_of(genome, rich).mean()) < ALIKE
    assert gc_of(genome, found).min() > 0.55
    anywhere, _, _ = drawn(genome, rich, False)
    assert gc_of(genome, anywhere).mean() < 0.55


def test_matched_regions_are_accessible_somewhere(genome, regions):
    def accessibility(rows):
        return np.where(rows["start"] < 150_000, 5.0, 0.0)

    early = regions[regions["start"] < 150_000]
    found, _, lost = drawn(genome, early, True, accessibility)
    assert len(found) and (found["start"] < 150_000).all()
    assert sum(lost.values()) == len(early) - len(found)
