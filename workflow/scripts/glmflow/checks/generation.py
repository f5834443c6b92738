"""Checks of kind `generation`: its files of motifs and of profile HMMs, of large ones the first profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from glmflow.config import Study, is_made
from glmflow.errors import InputError

from .named_samples import Problem, Samples

READ_WHOLE = 20_000_000
"""Bytes of a file of profiles up to which it is read whole before any job."""
FIRST = 100
"""Profiles that are read of a larger one."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield what is wrong with the motifs and profiles: they cannot be read, are of nucleotides, or their package is missing."""
    task = study.tasks[label]

    def motifs(path: Path) -> None:
        from glmflow.binding.motif_files import read_motifs

        read_motifs(path)

    def hmms(path: Path) -> None:
        from glmflow.dna.protein_profiles import read_profiles

        most = None if path.stat().st_size <= READ_WHOLE else FIRST
        read_profiles(path, task.hmm_evalue, task.hmm_gathering, most)

    for read in (motifs, hmms):
        path = getattr(task, read.__name__)
        if path is None or is_made(study, path) or not Path(path).is_file():
            continue
        try:
            read(Path(path))
        except InputError as error:
            yield (read.__name__,), str(error)
