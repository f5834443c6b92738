"""A cohort whose truth is known: made from nothing, or laid over real genotypes."""
