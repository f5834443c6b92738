"""Expression of genes in people, from the sequences of both haplotypes around each transcription start."""
