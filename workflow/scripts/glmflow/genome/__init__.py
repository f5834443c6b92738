"""The genome: its sequence, genes, windows, splits, and the haplotypes samples carry."""
