"""Two tracks of 5,000 bases as files: what was observed, and predictions that share a part with it."""

import numpy as np
import pyBigWig
from glmflow.tracks.reading import TrackReader

LENGTH = 5000
TRACKS = {
    "a_plus": {"biosample": "a", "strand": "+"},
    "b_plus": {"biosample": "b", "strand": "+"},
}


def write(path, values):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("chr1", LENGTH), ("chr2", 10)])
        file.addEntries("chr1", 0, values=values.astype(np.float32), span=1, step=1)
    return str(path)


def written(folder):
    """Return observed and predicted coverage, `[2, LENGTH]`, and readers of both."""
    rng = np.random.default_rng(0)
    observed = rng.poisson(1.5, (2, LENGTH)).astype(np.float32)
    predicted = (0.5 * observed + rng.gamma(1, 1, (2, LENGTH))).astype(np.float32)
    readers = [
        TrackReader([write(folder / f"{name}{i}.bw", values[i]) for i in range(2)])
        for name, values in (("observed", observed), ("predicted", predicted))
    ]
    return observed, predicted, *readers
