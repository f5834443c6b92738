"""Write the part of the genome that every split owns."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.genome.splits import split_regions, used_contigs

    params = snakemake.params
    contigs = used_contigs(Reference(snakemake.input.fasta).contigs, params.contigs)
    write_table(split_regions(params.splits, contigs, params.size), snakemake.output.regions)
