"""Link a predicted track beside its run."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.errors import InputError

    track, link = f"{snakemake.wildcards.track}.bw", Path(snakemake.output[0])
    if not (Path(snakemake.input[0]) / track).is_file():
        raise InputError("the run predicts no such track", where=link)
    link.unlink(missing_ok=True)
    link.symlink_to(Path("predicted") / track)
