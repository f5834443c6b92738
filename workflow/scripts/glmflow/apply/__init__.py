"""Models applied by hand: tuned ones to other genomes, samples and variants; any to variants and dependency maps."""
