"""Tabulate every track: what it is, its replicates and its mean over the non-zero bases of the training regions."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table, write_table
    from glmflow.tracks.statistics import nonzero_mean

    regions = read_table(snakemake.input.regions)
    training = regions[regions["split"] == "train"]
    rows = []
    files = zip(snakemake.params.tracks.items(), snakemake.input.tracks, snakemake.input.counts)
    for (name, track), path, counts in files:
        (found,) = read_table(counts).to_dict("records")
        rows.append(
            {
                "track": name,
                "biosample": track["biosample"],
                "strand": track["strand"],
                "n_replicates": len(track["replicates"]),
                "track_mean": nonzero_mean(path, training),
                "non_finite": found["non_finite"],
                "negative": found["negative"],
            }
        )
    write_table(pd.DataFrame(rows), snakemake.output.statistics)
