"""Write genes and exons as tables (0-based half-open); without an annotation both are empty."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import write_table
    from glmflow.genome.annotation import read_annotation
    from glmflow.genome.reference import Reference

    genes, exons = read_annotation(snakemake.input.get("annotation"), Reference(snakemake.input.fasta).contigs)
    write_table(genes, snakemake.output.genes)
    write_table(exons, snakemake.output.exons)
