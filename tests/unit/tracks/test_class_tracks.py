"""Probabilities of classes as tracks, read back by pyBigWig."""

import numpy as np
import pandas as pd
import pyBigWig
from glmflow.tracks.class_tracks import write_class_track


def test_bins_lie_where_their_bases_are_and_windows_that_overlap_are_averaged(tmp_path):
    windows = pd.DataFrame({"chrom": ["2", "1", "2", "1"], "start": [0, 100, 20, 8], "end": [40, 140, 60, 48]})
    table = np.array([[0.25, 0.75], [0, 1], [0.5, 0.125], [1, 0.5]], np.float16)
    write_class_track(tmp_path / "exon.bw", windows, table, {"1": 200, "2": 60})
    with pyBigWig.open(str(tmp_path / "exon.bw")) as track:
        assert track.chroms() == {"1": 200, "2": 60}
        assert track.intervals("1") == ((8, 28, 1), (28, 48, 0.5), (100, 120, 0), (120, 140, 1))
        assert track.intervals("2") == ((0, 20, 0.25), (20, 40, 0.625), (40, 60, 0.125))
