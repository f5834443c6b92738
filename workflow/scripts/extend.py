"""Extend the context of a model, at once or with a short tuning."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import torch
    from glmflow.files import read_table
    from glmflow.training.extend import extend_model

    torch.set_num_threads(snakemake.threads)
    extend_model(
        snakemake.params.settings,
        Path(snakemake.input.base),
        read_table(snakemake.input.regions),
        Path(snakemake.input.fasta),
        int(snakemake.wildcards.seed),
        Path(snakemake.output.metrics).parent,
        Path(snakemake.output.model),
    )
