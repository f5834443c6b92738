"""Write the part of the genome that every split owns."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.genome.splits import split_regions

    contigs = Reference(snakemake.input.fasta).contigs
    write_table(split_regions(snakemake.params.splits, contigs, snakemake.params.size), snakemake.output.regions)
