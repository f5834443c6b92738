"""Classes of examples: what each run reaches on each class, and what it takes for what."""
