"""glmflow: fine-tuned, fairly compared genomic language models from genomes, genotypes and tracks."""
