"""Tile the genome into windows, leave out (and count) what cannot be used, and assert that splits share no base."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.tasks.rnaseq_tracks import examples

    params = snakemake.params
    made = examples(
        Reference(snakemake.input.fasta),
        params.contigs,
        params.windows,
        params.splits,
        params.size,
        snakemake.input.get("blacklist") or None,
    )
    write_table(made.counts, snakemake.output.windows)
    write_table(made.shared, snakemake.output.leakage)
    write_table(made.table, snakemake.output.examples)
