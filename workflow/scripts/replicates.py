"""Correlate the replicates of each track and point out those that look unlike their group."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import write_table
    from glmflow.tracks.statistics import outlying_replicates, replicate_correlation

    tables = []
    for name, track in snakemake.params.tracks.items():
        table = replicate_correlation(track["replicates"])
        outliers = set(outlying_replicates(table))
        outlier = table["replicate_a"].isin(outliers) | table["replicate_b"].isin(outliers)
        tables.append(table.assign(outlier=outlier).pipe(lambda t, n=name: t.assign(track=n)))
    table = pd.concat(tables)
    write_table(table[["track", "replicate_a", "replicate_b", "r", "outlier"]], snakemake.output.table)
