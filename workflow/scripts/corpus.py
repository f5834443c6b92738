"""Build a corpus: read, clean, group, divide, audit."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.corpus.corpus_build import build

    build(snakemake.params.settings, Path(snakemake.output.table).parent)
