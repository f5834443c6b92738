"""The files and settings of a run on one track that takes a second."""

import numpy as np
import pandas as pd
import pyBigWig
import pysam
from glmflow.config.adaptations import Adaptation
from glmflow.config.settings import adaptation_settings
from glmflow.config.tasks.rnaseq_tracks import RnaseqTracks

LENGTH, WINDOW = 4096, 256
TRAIN = {"steps": 4, "batch": 2, "micro_batch": 1, "evaluations": 2}


def tiny_tracks(folder, adaptation=None, task=None, **train):
    """Write a genome of one contig and a track, and return the arguments of `finetune` but for its folder."""
    generator = np.random.default_rng(0)
    (folder / "genome.fa").write_text(">chr1\n" + "".join(generator.choice(list("ACGT"), LENGTH)) + "\n")
    pysam.faidx(str(folder / "genome.fa"))
    with pyBigWig.open(str(folder / "blood.bw"), "w") as file:
        file.addHeader([("chr1", LENGTH)])
        file.addEntries("chr1", 0, values=generator.gamma(1.0, size=LENGTH), span=1, step=1)
    (folder / "statistics.tsv").write_text("track\ttrack_mean\nblood\t1.0\n")
    starts = np.arange(0, LENGTH, WINDOW)
    examples = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + WINDOW, "split": "train"})
    examples.loc[examples.index[-3:], "split"] = "validation"
    examples["example"] = [f"w{n}" for n in range(len(examples))]
    block = RnaseqTracks(kind="rnaseq_tracks", windows={"size": WINDOW, "overlap": 0}, trim=0, **(task or {}))
    adapted = {"kind": "full", "head": {"kind": "linear"}} | (adaptation or {})
    settings = {
        "seed": 1,
        "task": block.model_dump(mode="json", exclude={"loss"}),
        "adaptation": adaptation_settings(Adaptation(**adapted, train={**TRAIN, **train}), block),
        "model": {"new": {"family": "small", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1}}},
        "tracks": {"blood": {"biosample": "blood", "strand": "."}},
    }
    files = {
        "fasta": str(folder / "genome.fa"),
        "tracks": [str(folder / "blood.bw")],
        "statistics": str(folder / "statistics.tsv"),
    }
    return {"settings": settings, "examples": examples, "files": files, "checkpoint": None}
