"""Write the checked, indexed copy of the reference genome."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.genome.reference import prepare_reference

    print(prepare_reference(snakemake.input.fasta, snakemake.output.fasta))
