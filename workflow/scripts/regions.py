"""Write the part of the genome that every split owns."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.genome.splits import split_regions

    params = snakemake.params
    lengths = Reference(snakemake.input.fasta).contigs
    contigs = {name: length for name, length in lengths.items() if params.contigs is None or name in params.contigs}
    write_table(split_regions(params.splits, contigs, params.size), snakemake.output.regions)
