"""Draw what a model as it is makes of the places of a task: in-silico mutagenesis and dependency maps."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import logging
    import tempfile

    import pandas as pd
    from glmflow.apply.allele_pictures import intervals_around, write_intervals
    from glmflow.cli import main
    from glmflow.files import atomic_path
    from glmflow.genome.reference import Reference

    genome = Reference(snakemake.input.fasta)
    settings = snakemake.params.pictures
    examples = pd.read_parquet(snakemake.input.examples)
    intervals = intervals_around(examples, genome.contigs, settings["most"], settings["bp"])
    model = ["--model", f"{snakemake.wildcards.model}={snakemake.input.model}"]
    with tempfile.TemporaryDirectory() as temporary, atomic_path(snakemake.output.pictures) as folder:
        bed, fasta = write_intervals(intervals, genome, Path(temporary))
        folder.mkdir()
        named = {"mutagenesis": ["--fasta", snakemake.input.fasta, "--bed", bed], "dependencies": ["--fasta", fasta]}
        for command, files in named.items():
            if main([command, *model, *map(str, files), "--output", str(folder / command)]):
                logging.warning("no %s: the model cannot be asked for it", command)
