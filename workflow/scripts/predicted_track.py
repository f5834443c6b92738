"""Put a predicted track beside its run: a link to it, or made of what the run predicted of every base."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.errors import InputError

    track, made, folder = snakemake.wildcards.track, Path(snakemake.output[0]), Path(snakemake.input.predicted)
    made.unlink(missing_ok=True)
    if (folder / f"{track}.bw").is_file():
        made.symlink_to(Path("predicted") / f"{track}.bw")
    elif (folder / "probabilities.npy").is_file():
        import pandas as pd
        from glmflow.files import read_table
        from glmflow.genome.reference import Reference
        from glmflow.tasks.window_labels import read_probabilities
        from glmflow.tracks.class_tracks import write_class_track

        classes = read_table(f"{snakemake.input.tables}/classes.tsv")["class"].astype(str).tolist()
        if track not in classes:
            raise InputError(f"no class {track!r}", where=made, fix=f"Ask for one of {', '.join(classes)}.")
        examples = pd.read_parquet(snakemake.input.examples)
        windows = examples[examples["split"] != "train"].reset_index(drop=True)
        of_class = read_probabilities(folder)[:, :, classes.index(track)]
        write_class_track(made, windows, of_class, Reference(snakemake.input.fasta).contigs)
    else:
        raise InputError("the run predicts no such track", where=made)
