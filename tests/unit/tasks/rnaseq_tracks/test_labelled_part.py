"""Labels of a part of the training contigs: windows of the rest are left out, baselines learn from the part alone."""

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.baselines.coverage_ridge import mean_track
from glmflow.config import ConfigurationError, check_study
from glmflow.config.tasks.rnaseq_tracks import RnaseqTracks
from glmflow.tasks.rnaseq_tracks import examples
from glmflow.tasks.rnaseq_tracks.labelled_part import labelled_part
from glmflow.tasks.tables import Division
from running import ROOT

SPLITS = {"by": "contig", "train": ["chr1", "chr2"], "test": ["chr3"]}
REGIONS = pd.DataFrame({"chrom": ["chr1", "chr1", "chr2"], "start": [0, 300, 0], "end": [200, 400, 100]})


@pytest.mark.parametrize(
    ("labelled", "starts"),
    [
        ({"contigs": ["chr1"], "bp": 120}, {"chr1": [0, 50], "chr3": [0, 50, 100, 150]}),
        ({"contigs": ["chr2"]}, {"chr2": [0, 50, 100, 150], "chr3": [0, 50, 100, 150]}),
        ({"contigs": ["chr1", "chr2"], "bp": 50}, {"chr1": [0], "chr2": [0], "chr3": [0, 50, 100, 150]}),
    ],
)
def test_windows_without_labels_are_left_out_and_counted(tmp_path, labelled, starts):
    (tmp_path / "genome.fa").write_text("".join(f">{name}\n{'ACGT' * 50}\n" for name in ("chr1", "chr2", "chr3")))
    task = RnaseqTracks(kind="rnaseq_tracks", windows={"size": 50, "overlap": 0}, trim=0, labelled=labelled)
    made = examples(task, {"fasta": tmp_path / "genome.fa"}, Division(SPLITS, 50, None))
    assert {name: list(part["start"]) for name, part in made.table.groupby("chrom")} == starts
    counts = dict(zip(made.counts["item"], made.counts["count"]))
    assert counts["training windows without labels"] == 12 - len(made.table)


@pytest.mark.parametrize(
    ("labelled", "left"),
    [
        (None, [("chr1", 0, 200), ("chr1", 300, 400), ("chr2", 0, 100)]),
        ({"contigs": ["chr1"], "bp": 350}, [("chr1", 0, 200), ("chr1", 300, 350)]),
        ({"contigs": ["chr1"], "bp": 300}, [("chr1", 0, 200)]),
        ({"contigs": ["chr2"], "bp": None}, [("chr2", 0, 100)]),
    ],
)
def test_regions_are_cut_to_their_labelled_part(labelled, left):
    assert list(labelled_part(REGIONS, labelled).itertuples(index=False, name=None)) == left


def test_a_baseline_learns_from_the_labelled_part_alone():
    class Tracks:
        """Coverage 1 in the first 100 bases of each contig, else 5."""

        def read(self, chrom, start, end):
            return np.where(np.arange(start, end) < 100, 1.0, 5.0)[None]

    part = labelled_part(REGIONS, {"contigs": ["chr1"], "bp": 100})
    assert mean_track(part, Tracks())("chr3", 0, 4).mean() == pytest.approx(1)
    assert mean_track(REGIONS, Tracks())("chr3", 0, 4).mean() == pytest.approx((200 * 1 + 200 * 5) / 400)


@pytest.mark.parametrize(
    ("labelled", "message"),
    [
        ({"contigs": ["chr5"]}, "labelled.contigs.0: contig 'chr5' is no training contig"),
        ({"contigs": ["chr1"], "bp": 1000}, "labelled.bp: 1000 bases hold no window"),
    ],
)
def test_labels_that_cannot_be_are_one_line(labelled, message):
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    next(iter(study["tasks"].values()))["labelled"] = labelled
    with pytest.raises(ConfigurationError, match=message):
        check_study(study)
