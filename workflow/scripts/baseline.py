"""Fit a baseline on training examples and predict what was held out."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    import pandas as pd
    from glmflow.baselines.fit_baseline import run_baseline
    from glmflow.provenance import write_run

    write_run(snakemake.params.settings, snakemake.output.run)
    run_baseline(
        snakemake.params.settings,
        pd.read_parquet(snakemake.input.examples),
        input_files(snakemake.input),
        Path(snakemake.output.predictions).parent,
        snakemake.threads,
    )
