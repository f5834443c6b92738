"""Nucleotide dependency maps: how far the prediction of each base depends on each other base (Tomaz da Silva et al. 2025)."""
