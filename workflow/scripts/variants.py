"""Parse a cohort's phased variants once into sparse arrays."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import build_store

    build_store(
        list(snakemake.input.vcf),
        Reference(snakemake.input.fasta),
        snakemake.output.store,
        contigs=snakemake.params.contigs,
        filter_policy=snakemake.params.filters,
        unphased=snakemake.params.unphased,
        cores=snakemake.threads,
    )
