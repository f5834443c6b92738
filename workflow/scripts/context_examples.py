"""Draw windows of the held-out regions, and hide copies of their last bases in them."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.config.tasks import ContextExtension
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.tasks.context_extension import examples

    table = examples(
        ContextExtension.model_validate(snakemake.params.task),
        pd.read_csv(snakemake.input.regions, sep="\t"),
        Reference(snakemake.input.fasta),
    )
    write_table(table, snakemake.output.examples)
