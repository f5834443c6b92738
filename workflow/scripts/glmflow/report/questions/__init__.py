"""The page of questions about alleles: what answers rest on, controls, look-ups, cases."""
