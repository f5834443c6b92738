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
    counts = store.counts().rename(columns={"chrom": "contig", "outcome": "reason", "alleles": "count"})
    counts = counts[counts["variants"] == snakemake.params.variants]
    write_table(counts[["contig", "reason", "count", "calls"]], snakemake.output.counts)
