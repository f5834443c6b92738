"""What language models are trained on: sequences of many genomes, cleaned, grouped by identity, divided and audited.

`read_records` -> `cut` -> `without_copies` -> `clusters` -> `assign` -> `shared_with_training` -> `write_corpus`; `build` does
all of it, and `Corpus` reads what it wrote.
"""
