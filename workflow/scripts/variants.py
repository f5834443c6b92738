"""Parse a cohort's VCF once into sparse arrays and count what became of its variants."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.genome.variants import build_store, write_counts

    store = build_store(
        snakemake.input.vcf, snakemake.input.fasta, snakemake.output.store, unphased=snakemake.params.unphased
    )
    write_counts(store, snakemake.output.counts)
