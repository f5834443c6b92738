"""Fit a baseline on the training regions and write its tracks over the held-out windows."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.baselines.run import run_track_baseline
    from glmflow.files import read_table
    from glmflow.provenance import write_run

    settings = snakemake.params.settings
    write_run(settings, snakemake.output.run)
    run_track_baseline(
        settings,
        pd.read_parquet(snakemake.input.examples),
        read_table(snakemake.input.regions),
        snakemake.input.fasta,
        dict(zip(settings["tracks"], snakemake.input.tracks)),
        read_table(snakemake.input.genes),
        read_table(snakemake.input.exons),
        Path(snakemake.output.predictions).parent,
    )
