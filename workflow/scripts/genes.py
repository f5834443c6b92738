"""Write genes and exons as tables (0-based half-open); without an annotation both are empty."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.annotation import read_exons, read_genes
    from glmflow.genome.reference import Reference

    contigs = Reference(snakemake.input.fasta).contigs
    annotation = snakemake.input.get("annotation") or None
    write_table(read_genes(annotation, contigs), snakemake.output.genes)
    write_table(read_exons(annotation, contigs), snakemake.output.exons)
