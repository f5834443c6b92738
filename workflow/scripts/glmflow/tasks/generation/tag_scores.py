"""How often sequences that were drawn by a tag are assigned to it, beside held-out real ones and what was drawn without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from glmflow.config.tasks.generation import Generation
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import TAGS
from glmflow.corpus.sequence_records import letters
from glmflow.corpus.training_part import stretch_texts
from glmflow.errors import InputError
from glmflow.likeness.group_values import GENERATED, REAL
from glmflow.likeness.pieces import cut
from glmflow.likeness.tag_recovery import K, assigned, profiles_of
from glmflow.statistics.bootstrap import interval_of_mean

MOST = 2_000_000
"""Training bases that the profile of a tag is counted on at most, spread over its sequences."""
UNTAGGED = "drawn without a tag"


def tag_table(task: Generation, corpus: Corpus, drawn: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return a row a way with a tag and group: `way`, `tag`, `column`, `tags`, `group`, `recovered`, `low`, `high`, `n`.

    `recovered` is the share of the pieces of a group that are assigned to the tag, with its 95 % bootstrap interval: of
    generated ones, of held-out real ones of that tag (as good as it gets; none where the split holds out whole tags), and of
    those that the same model drew in ways without a tag. `tags` is how many there are to choose from.

    Parameters
    ----------
    drawn
        Released sequences by way.

    Raises
    ------
    InputError
        No training sequence of the corpus has the tag.
    """
    rows, known = [], {}
    for way, texts in drawn.items():
        tag = task.ways[way].tag
        if tag is None:
            continue
        column = _column_of(corpus, tag)
        if column not in known:
            known[column] = profiles_of(_training(corpus, column))
        others = [text for name, own in drawn.items() if task.ways[name].tag is None for text in own]
        groups = {GENERATED: texts, REAL: _held_out(corpus, column, tag), UNTAGGED: others}
        for group, own in groups.items():
            if pieces := cut(own, task.piece_bp)[: task.most]:
                right = np.array([name == tag for name in assigned(pieces, known[column])], float)
                interval = interval_of_mean(right, task.bootstrap, task.seed)
                rows.append((way, tag, column, len(known[column].names), group, *interval))
    return pd.DataFrame(rows, columns=["way", "tag", "column", "tags", "group", "recovered", "low", "high", "n"])


def tag_findings(table: pd.DataFrame) -> Iterator[str]:
    """Yield what was recovered of the tags of one way, in a sentence."""
    rows = table.set_index("group")
    if GENERATED not in rows.index:
        return
    own = rows.loc[GENERATED]
    beside = [
        f"{name}: {rows.loc[group, 'recovered']:.0%} of {rows.loc[group, 'n']}"
        for group, name in ((REAL, "held-out real ones of it"), (UNTAGGED, UNTAGGED))
        if group in rows.index
    ]
    beside.append(f"by chance {1 / own['tags']:.0%}")
    yield (
        f"Of {own['n']} pieces drawn by the tag {own['tag']}, {own['recovered']:.0%} [{own['low']:.0%}, {own['high']:.0%}] are "
        f"assigned to it by their {K}-mers, among {own['tags']} of {own['column']} ({'; '.join(beside)})."
    )


def _column_of(corpus: Corpus, tag: str) -> str:
    train = corpus.of("train")
    found = [column for column in TAGS if (train[column] == tag).any()]
    if not found:
        raise InputError(
            f"no training sequence is of {tag!r}", where="tasks.*.ways.*.tag", fix="Name one that is there."
        )
    return found[-1]  # the narrowest


def _training(corpus: Corpus, column: str) -> dict[str, list[str]]:
    """Return training sequences by tag."""
    train = corpus.of("train")
    return {
        tag: list(stretch_texts(corpus, train[train[column] == tag], MOST))
        for tag in train[column].unique().tolist()
        if tag
    }


def _held_out(corpus: Corpus, column: str, tag: str) -> list[str]:
    test = corpus.of("test")
    rows = test.index[test[column] == tag]
    return [letters(corpus.codes(row)).tobytes().decode() for row in rows]
