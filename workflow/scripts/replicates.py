"""Correlate the replicates of each track and point out those that look unlike their group."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import write_table
    from glmflow.tracks.statistics import outlying_replicates, replicate_correlation

    tables = []
    for name, track in snakemake.params.tracks.items():
        table = replicate_correlation(track["replicates"])
        odd = outlying_replicates(table)
        outlier = table["replicate_a"].isin(odd) | table["replicate_b"].isin(odd)
        tables.append(table.assign(track=name, outlier=outlier, unlike=", ".join(odd)))
    table = pd.concat(tables)
    write_table(table[["track", "replicate_a", "replicate_b", "r", "outlier", "unlike"]], snakemake.output.table)
