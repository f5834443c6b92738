"""Remove the checkpoints of finished runs, and say what was freed."""

from pathlib import Path

from glmflow.training.loop.cleaning import clean

with Path(snakemake.log[0]).open("w") as log:
    for line in clean(Path(snakemake.params.results)):
        print(line, flush=True)
        print(line, file=log)
