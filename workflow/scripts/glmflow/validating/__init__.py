"""`glmflow validate`: generated sequences beside held-out real ones, and beside controls that show what each statistic sees."""
