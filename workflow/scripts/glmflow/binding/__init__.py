"""Binding of TFs to regions: peaks, regions, motifs and their sites, keys (cell, TF), their splits and scores."""
