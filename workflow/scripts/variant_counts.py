"""Count what became of a cohort's variants, by contig and reason."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.variants import open_store

    counts = open_store(snakemake.input.store).counts()
    counts = counts[counts["variants"] == snakemake.params.variants]
    counts = counts.rename(columns={"chrom": "contig", "outcome": "reason", "alleles": "count"})
    write_table(counts[["contig", "reason", "count", "calls"]], snakemake.output.counts)
