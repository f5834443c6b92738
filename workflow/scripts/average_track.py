"""Average the replicates of a track."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.tracks.averaging import average
    from glmflow.tracks.reading import check_track_matches

    contigs = Reference(snakemake.input.fasta).contigs
    for path in snakemake.input.replicates:
        check_track_matches(path, contigs)
    counts = average(
        snakemake.input.replicates, snakemake.output.track, cores=snakemake.threads, sign=snakemake.params.sign
    )
    write_table(pd.DataFrame([counts]), snakemake.output.counts)
