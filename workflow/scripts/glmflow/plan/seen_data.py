"""How often each pretraining of a study will see what it learns from, as far as that is known before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from glmflow.config import Study
from glmflow.config.contig_lengths import contig_lengths
from glmflow.config.corpus_blocks import corpus_files
from glmflow.config.models import Pretrain


class Seen(NamedTuple):
    """How often what a model is pretrained on is seen (None where that is not known yet), and what is to be said of it."""

    times: float | None
    said: list[str]


def seen_data(study: Study) -> dict[str, Seen]:
    """Return how often models see what they are pretrained on, by label."""
    return {label: _seen(study, model.pretrain) for label, model in study.models.items() if model.pretrain}


def sentences(found: dict[str, Seen]) -> Iterator[str]:
    """Yield what is said of the data of models; one line where it is said of several."""
    said: dict[str, list[str]] = {}
    for label, seen in found.items():
        for text in seen.said:
            said.setdefault(text, []).append(label)
    yield from (f"{', '.join(f'models/{label}' for label in labels)}: {text}" for text, labels in said.items())


def _seen(study: Study, block: Pretrain) -> Seen:
    """Return how often a model sees its corpus, or the training regions of the genome."""
    from glmflow.corpus.times_seen import COLUMNS, times_seen, too_often

    if block.pairs:
        return Seen(None, [f"epochs are those of the pairs in {block.pairs}, which the training counts"])
    if block.corpus:
        table = Path(str(corpus_files(study.results, block.corpus)["corpus"]))
        if not table.is_file():
            how = f"asking Snakemake for {table} builds it, and the plan then says them"
            return Seen(None, [f"epochs are not known: corpus {block.corpus} is not built yet ({how})"])
        import pandas as pd

        seen = times_seen(block, pd.read_parquet(table, columns=list(COLUMNS)))
    else:
        bases = _training_bases(study)
        if bases is None:
            return Seen(None, ["epochs are not known: the lengths of the genome's contigs are not there yet"])
        seen = {"the training part of the genome": block.steps * block.batch * block.length / bases}
    return Seen(next(iter(seen.values())), too_often(seen, "is"))


def _training_bases(study: Study) -> int | None:
    """Return about how many bases of the genome are for training; None where its contigs are not known yet."""
    lengths, splits = contig_lengths(study), study.splits
    if not lengths or splits is None:
        return None
    if splits.by == "contig":
        return sum(lengths.get(name, 0) for name in splits.train) or None
    return round((1 - splits.validation - splits.test) * sum(lengths.values())) or None
