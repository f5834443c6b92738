"""Simulate genomes with annotated genes, and write pairs of their DNA and text."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.config.simulation import AnnotatedGenomes
    from glmflow.corpus.pair_writing import write_pairs
    from glmflow.simulate.annotated_genomes import simulate_annotated

    made, settings = snakemake.output, AnnotatedGenomes.model_validate(snakemake.params.settings)
    simulate_annotated(settings, Path(made.genbank), Path(made.fasta))
    write_pairs([Path(made.genbank)], Path(made.pairs), settings.validation, settings.test, seed=settings.seed)
