"""Checks of kind `described_dna`: its file of pairs, read whole where that takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from glmflow.config import Study, is_made
from glmflow.errors import InputError

from .named_samples import Problem, Samples

READ_WHOLE = 200_000_000
"""Bytes of a file of pairs up to which it is read before any job."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield the first thing that is wrong with the pairs: a damaged line, nothing held out, one cluster."""
    path = Path(study.tasks[label].pairs)
    if is_made(study, str(path)) or not path.is_file() or path.stat().st_size > READ_WHOLE:
        return
    from glmflow.corpus.pair_lines import held_out, read_pairs

    try:
        held_out(read_pairs(path), "test", path)
    except InputError as error:
        yield ("pairs",), str(error)
