"""Average the replicates of a track."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.tracks.averaging import average, check_coverage
    from glmflow.tracks.reading import check_track_matches

    contigs = Reference(snakemake.input.fasta).contigs
    if used := snakemake.params.contigs:  # others, such as the mitochondrion, may be of another length
        contigs = {name: contigs[name] for name in used}
    for path in snakemake.input.replicates:
        check_track_matches(path, contigs)
    counts = average(
        snakemake.input.replicates, snakemake.output.track, cores=snakemake.threads, sign=snakemake.params.sign
    )
    check_coverage(counts, snakemake.wildcards.track, snakemake.input.replicates)
    write_table(pd.DataFrame([counts]), snakemake.output.counts)
