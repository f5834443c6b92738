"""Draw windows of the held-out regions, and hide copies of their last bases in them."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.config.tasks import ContextExtension
    from glmflow.files import read_table, write_table
    from glmflow.genome.reference import Reference
    from glmflow.tasks.context_extension import examples

    table = examples(
        ContextExtension.model_validate(snakemake.params.task),
        read_table(snakemake.input.regions),
        Reference(snakemake.input.fasta),
    )
    write_table(table, snakemake.output.examples)
