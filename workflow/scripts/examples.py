"""Tile the genome into windows, leave out what cannot be used (counted), and assert that splits share no base."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.examples import window_examples
    from glmflow.tasks.rnaseq_tracks import examples

    made = window_examples(
        snakemake.input.fasta,
        snakemake.input.regions,
        snakemake.params.task,
        snakemake.input.get("blacklist"),
    )
    write_table(made.counts, snakemake.output.windows)
    write_table(made.shared, snakemake.output.leakage)
    write_table(examples(made.windows), snakemake.output.examples)
