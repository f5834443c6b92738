"""Parse a cohort's VCF once into sparse arrays and count what became of its variants."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import build_store

    store = build_store(
        snakemake.input.vcf,
        Reference(snakemake.input.fasta),
        snakemake.output.store,
        contigs=snakemake.params.contigs,
        unphased=snakemake.params.unphased,
        cores=snakemake.threads,
    )
    write_table(store.counts(), snakemake.output.counts)
