"""Fit a baseline on the training regions and write its tracks over the held-out windows."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.baselines.run import run_track_baseline
    from glmflow.provenance import write_run

    settings = snakemake.params.settings
    write_run(settings, snakemake.output.run)
    run_track_baseline(
        settings,
        pd.read_parquet(snakemake.input.examples),
        pd.read_csv(snakemake.input.regions, sep="\t"),
        snakemake.input.fasta,
        dict(zip(settings["tracks"], snakemake.input.tracks)),
        pd.read_csv(snakemake.input.genes, sep="\t"),
        pd.read_csv(snakemake.input.exons, sep="\t"),
        Path(snakemake.output.predictions).parent,
    )
