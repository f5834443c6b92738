"""What the pretrained models of a study, published or its own, have seen of what it tests on."""

from __future__ import annotations

from pathlib import Path

from .contig_lengths import contig_lengths
from .corpora import Corpus, corpus_of, pretraining_sentences, read_corpora
from .published import read_checkpoints
from .study import Study

OF_PAIRS = "pretrained by this study on the training pairs of {}: of what else is tested on nothing is known"


def pretraining_of(study: Study, folder: str | Path) -> dict[str, list[str]]:
    """Return by model what has to be said beside its scores; models without pretraining are left out.

    Parameters
    ----------
    folder
        Holds `models.yaml` and `corpora.yaml`; without them every corpus is unknown.
    """
    lists = [Path(folder) / name for name in ("models.yaml", "corpora.yaml")]
    listed = all(path.is_file() for path in lists)
    checkpoints, corpora = (read_checkpoints(lists[0]), read_corpora(lists[1])) if listed else ({}, {})
    lengths, reference = contig_lengths(study) or {}, study.data.reference
    held_out = (
        list(getattr(study.splits, "test", [])) if study.splits and study.splits.by == "contig" else list(lengths)
    )
    found = {}
    for label in study.models:
        name = label
        while (model := study.models[name]).extend:
            name = model.extend.model
        if model.pretrain:
            pairs = model.pretrain.pairs
            found[label] = [OF_PAIRS.format(pairs) if pairs else _of_own(study, model.pretrain.corpus)]
        if not model.checkpoint:
            continue
        corpus: Corpus = corpus_of(model.checkpoint, checkpoints, corpora)
        if study.simulate and not study.simulate.overlay and not study.reference:
            found[label] = ["the genome is simulated: no checkpoint has seen it"]
        else:
            found[label] = pretraining_sentences(corpus, held_out, lengths, reference.species if reference else None)
    return found


def _of_own(study: Study, corpus: str | None) -> str:
    """Return what a model that the study itself pretrains has seen, on its genome or on a corpus."""
    if corpus is None:
        text = "pretrained by this study on the training regions of its genome alone"
        others = [label for label, task in study.tasks.items() if not task.genome]
        if not others:
            return text
        return f"{text}; what {', '.join(others)} tests on was in it where it lies there, without its labels"
    files = ", ".join(Path(source.path).name for source in study.corpora[corpus].sources)
    text = f"pretrained by this study on the training part of corpus {corpus} ({files}): what the corpus holds out was not in it"
    if study.data.reference is None:
        return text
    return f"{text}; it is not known whether what is tested on of the genome was: they are not compared"
