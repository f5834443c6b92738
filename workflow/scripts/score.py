"""Score predicted tracks against the averaged ones, on every held-out split."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table, write_table
    from glmflow.tasks.rnaseq_tracks import score

    metrics, genes = score(
        snakemake.params.settings,
        pd.read_parquet(snakemake.input.examples),
        snakemake.input.observed,
        snakemake.input.predicted,
        read_table(snakemake.input.genes),
        read_table(snakemake.input.exons),
    )
    write_table(metrics, snakemake.output.metrics)
    write_table(genes, snakemake.output.genes)
