"""Correlation, classification and bootstrap intervals; knows nothing of genomes or models."""
