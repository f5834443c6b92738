"""The mean of a track over the bases of variants, beside pyBigWig's."""

import numpy as np
import pandas as pd
import pyBigWig
from glmflow.tasks.variant_effects.trivial_scores import track_values


def test_the_mean_over_covered_bases_is_that_of_pybigwig(tmp_path):
    rng = np.random.default_rng(0)
    with pyBigWig.open(str(tmp_path / "t.bw"), "w") as track:
        track.addHeader([("chr1", 5000), ("chr2", 300)])
        for chrom, length in (("chr1", 5000), ("chr2", 200)):
            edges = np.unique(rng.integers(0, length, length // 4))
            starts, ends = edges[:-1:2].tolist(), edges[1::2].tolist()
            starts = starts[: len(ends)]
            track.addEntries([chrom] * len(ends), starts, ends=ends, values=rng.normal(size=len(ends)).tolist())
    rows = [
        (chrom, int(at), "A" * int(width)) for chrom in ("chr1", "chr2") for at, width in rng.integers(1, 295, (300, 2))
    ]
    rows += [("chr3", 5, "A"), ("chr2", -1, "A"), ("chr2", 299, "AC"), ("chr2", 250, "ACGT")]
    table = pd.DataFrame(rows, columns=["chrom", "start", "ref"])
    found = track_values(table, tmp_path / "t.bw")
    with pyBigWig.open(str(tmp_path / "t.bw")) as track:
        for (chrom, start, ref), value in zip(rows, found):
            inside = chrom != "chr3" and start >= 0 and start + len(ref) <= track.chroms()[chrom]
            values = np.array(track.values(chrom, start, start + len(ref))) if inside else np.full(1, np.nan)
            expected = np.nanmean(values) if np.isfinite(values).any() else np.nan
            np.testing.assert_allclose(value, expected, rtol=1e-6, equal_nan=True)
    assert np.isnan(found[-4:]).all() and np.isfinite(found).sum() > 100
