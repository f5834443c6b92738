"""Pretrain a small model on the training regions."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.training.pretrain import pretrain

    torch.set_num_threads(snakemake.threads)
    pretrain(
        snakemake.params.settings,
        pd.read_csv(snakemake.input.regions, sep="\t"),
        snakemake.input.fasta,
        int(snakemake.wildcards.seed),
        Path(snakemake.output.metrics).parent,
        Path(snakemake.output.model),
    )
