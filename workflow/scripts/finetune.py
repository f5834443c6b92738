"""Fit a model to a track task."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.provenance import write_run
    from glmflow.training.finetune import finetune

    torch.set_num_threads(snakemake.threads)
    settings = snakemake.params.settings
    statistics = pd.read_csv(snakemake.input.statistics, sep="\t", index_col="track")
    write_run(settings, snakemake.output.run)
    finetune(
        settings,
        pd.read_parquet(snakemake.input.examples),
        snakemake.input.fasta,
        dict(zip(settings["tracks"], snakemake.input.tracks)),
        statistics["track_mean"].to_dict(),
        snakemake.input.get("checkpoint") or None,
        Path(snakemake.output.metrics).parent,
    )
