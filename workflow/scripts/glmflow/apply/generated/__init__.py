"""`glmflow generate`: sequences drawn from a causal model, released by the gate and by nothing else."""
