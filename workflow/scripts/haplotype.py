"""Write one person's haplotype as bgzip FASTA."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.genome.export import write_haplotype
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import open_store

    write_haplotype(
        open_store(snakemake.input.store),
        Reference(snakemake.input.fasta),
        snakemake.wildcards.sample,
        int(snakemake.wildcards.haplotype),
        snakemake.output.fasta,
        variants=snakemake.params.variants,
    )
