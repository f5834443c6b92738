"""Apply a tuned track model to other sequences."""

from argparse import Namespace
from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import torch
    from glmflow.training.commands import run_predict

    torch.set_num_threads(snakemake.threads)
    files = {key: snakemake.input.get(key) or None for key in ("vcf", "bed")}
    run_predict(
        Namespace(
            model=Path(snakemake.input.model),
            fasta=Path(snakemake.input.fasta),
            **{key: path and Path(path) for key, path in files.items()},
            sample=snakemake.params.sample,
            haplotype=snakemake.params.haplotype,
            output=Path(snakemake.output[0]),
        )
    )
