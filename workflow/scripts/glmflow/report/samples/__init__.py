"""Targets of genes in samples: runs compared gene by gene, controls, variants that act."""
