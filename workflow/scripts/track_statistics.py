"""Tabulate every track: what it is, its replicates and its mean over the non-zero bases of the training regions."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table, write_table
    from glmflow.tracks.statistics import nonzero_mean

    regions = read_table(snakemake.input.regions)
    training = regions[regions["split"] == "train"]
    rows = []
    for (name, track), path in zip(snakemake.params.tracks.items(), snakemake.input.tracks):
        rows.append(
            {
                "track": name,
                "biosample": track["biosample"],
                "strand": track["strand"],
                "n_replicates": len(track["replicates"]),
                "track_mean": nonzero_mean(path, training),
            }
        )
    write_table(pd.DataFrame(rows), snakemake.output.statistics)
