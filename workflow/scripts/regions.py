"""Write the part of the genome that every split owns."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.homology import divided
    from glmflow.genome.reference import Reference
    from glmflow.genome.splits import split_regions, used_contigs

    params, genome = snakemake.params, Reference(snakemake.input.fasta)
    contigs = used_contigs(genome.contigs, params.contigs, params.alternates)
    splits = divided(params.splits, contigs, genome.fetch, params.size, snakemake.threads)
    write_table(split_regions(splits, contigs, params.size), snakemake.output.regions)
