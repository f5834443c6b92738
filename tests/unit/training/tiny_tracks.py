"""The files and settings of a run on one track that takes a second."""

import numpy as np
import pandas as pd
import pyBigWig
import pysam
from glmflow.config.adaptations import Adaptation
from glmflow.config.tasks import RnaseqTracks

LENGTH, WINDOW = 4096, 256
TRAIN = {"steps": 4, "batch": 2, "micro_batch": 1, "evaluations": 2}


def tiny_tracks(folder, **train):
    """Write a genome of one contig and a track, and return the arguments of `finetune` but for its folder."""
    generator = np.random.default_rng(0)
    (folder / "genome.fa").write_text(">chr1\n" + "".join(generator.choice(list("ACGT"), LENGTH)) + "\n")
    pysam.faidx(str(folder / "genome.fa"))
    with pyBigWig.open(str(folder / "blood.bw"), "w") as file:
        file.addHeader([("chr1", LENGTH)])
        file.addEntries("chr1", 0, values=generator.gamma(1.0, size=LENGTH), span=1, step=1)
    starts = np.arange(0, LENGTH, WINDOW)
    examples = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + WINDOW, "split": "train"})
    examples.loc[examples.index[-3:], "split"] = "validation"
    task = RnaseqTracks(kind="rnaseq_tracks", windows={"size": WINDOW, "overlap": 0}, trim=0)
    adaptation = Adaptation(kind="full", head={"kind": "linear"}, train={**TRAIN, **train})
    settings = {
        "seed": 1,
        "task": task.model_dump(mode="json"),
        "adaptation": adaptation.model_dump(mode="json"),
        "model": {"new": {"family": "small", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1}}},
        "tracks": {"blood": {"biosample": "blood", "strand": "."}},
    }
    return {
        "settings": settings,
        "examples": examples,
        "reference": folder / "genome.fa",
        "tracks": {"blood": folder / "blood.bw"},
        "track_means": {"blood": 1.0},
        "checkpoint": None,
    }
