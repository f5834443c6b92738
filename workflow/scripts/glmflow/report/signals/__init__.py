"""Signals along the genome: the genome browser, genes observed and predicted, replicates."""
