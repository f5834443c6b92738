"""Held-out features with their texts and controls, and what they share with the features that models learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.tasks.described_dna import DescribedDna
from glmflow.corpus.annotation_pairs import Pair, clusters
from glmflow.corpus.pair_lines import dna_of, held_out, read_pairs
from glmflow.corpus.text_controls import BEFORE, TEXTS, among, asked_features
from glmflow.errors import InputError
from glmflow.tasks.tables import WARN, Checks, Division, Made, counts_table, examples_table

Line = Mapping[str, Any]
SPLITS = ("test", "validation")
MOST_COMPARED = 20_000_000
"""Bases of features in which relatives and copies of held-out ones are looked for at most."""
SHOWN = 3
"""Features whose texts are shown on the page."""


def examples(task: DescribedDna, files: Mapping[str, Any], division: Division) -> Made:
    """Return a row a held-out feature: the DNA that is scored (`sequence`), its cluster (`group`), kind (`subset`) and texts.

    Further tables: ``features.tsv`` (what the file of pairs holds), ``texts.tsv`` (texts and controls of some features).

    Raises
    ------
    InputError
        A line is no pair, nothing is held out, or all of it is of one cluster.
    """
    path = Path(files["pairs"])
    lines = read_pairs(path)
    tables, counts, checks = [], {}, Checks()
    for place, split in enumerate(SPLITS):
        try:
            pairs = held_out(lines, split, path)
        except InputError:
            if split == "test":
                raise
            counts[f"features of {split} that can be asked about"] = 0
            continue
        chosen = np.random.default_rng([task.seed, place]).permutation(len(pairs))[: task.features]
        own = [pairs[at] for at in sorted(chosen)]
        if len({pair["cluster"] for pair in own}) < 2:
            what = f"the {len(own)} features of {split} that are drawn are of one cluster"
            raise InputError(what, where="tasks.*.features", fix="Ask about more features.")
        tables.append(asked_features(own, task.seed, task.bases).assign(split=split, among=None))
        counts[f"features of {split}"] = len(own)
        counts[f"clusters of {split}"] = tables[-1]["group"].nunique()
        counts[f"features of {split} that were not drawn"] = len(pairs) - len(own)
    if task.retrieved and tables[0]["text"].nunique() > 1:
        tables[0]["among"] = among(tables[0], task.candidates, task.retrieved, task.seed)
    table = pd.concat(tables, ignore_index=True)
    twice = table["example"].duplicated()  # one place, two features, two splits
    table["example"] = table["example"].where(~twice, table["example"] + "/" + table["split"])
    counts["training features"] = len(dna_of(lines, "train"))
    _related(lines, files, checks)
    shown = table[table["split"] == "test"].head(SHOWN)
    texts = [
        {"feature": row["example"], "text": TEXTS[key], "as it stands": row[column]}
        for _, row in shown.iterrows()
        for key, column in BEFORE.items()
    ]
    facts = {"features.tsv": _held(lines), "texts.tsv": pd.DataFrame(texts)}
    return Made(examples_table(table), counts_table(counts), checks.table(), facts)


def compared(task: DescribedDna, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return what is compared for copies: the bases that are scored, and the features that models learned from."""
    training, left = [], MOST_COMPARED
    for number, pair in enumerate(_learned_from(read_pairs(Path(files["pairs"])), files)):
        if (left := left - len(pair["target"])) < 0:
            break
        training.append((f"training {number} {pair.get('id', '')}", "train", pair["target"]))
    learned = pd.DataFrame(training, columns=["example", "split", "sequence"])
    return pd.concat([table[["example", "split", "sequence"]], learned], ignore_index=True)


def _learned_from(lines: Sequence[Line], files: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the training features of a file of pairs, and of those that models of the task learned from beside it."""
    yield from dna_of(lines, "train")
    for other in files.get("learned", ()):
        yield from dna_of(read_pairs(Path(other)), "train")


def _related(lines: Sequence[Line], files: Mapping[str, Any], checks: Checks) -> None:
    """Add what held-out features share with those that were learned from: clusters of the file, relatives, the same DNA.

    The file's clusters are not trusted: features are clustered once more, by peptides and bases, with those of other files.
    """
    learned = list(_learned_from(lines, files))
    own = [pair for split in SPLITS for pair in dna_of(lines, split)]
    known = {pair.get("cluster") for pair in dna_of(lines, "train")}
    checks.add(
        "held-out features of a training cluster",
        sum(pair.get("cluster") in known for pair in own),
        len(own),
        "by the file",
    )
    same = {pair["target"] for pair in learned}
    checks.add(
        "held-out features with the DNA of a training one", sum(pair["target"] in same for pair in own), len(own)
    )
    bases = sum(len(pair["target"]) for pair in (*own, *learned))
    if bases > MOST_COMPARED:
        detail = f"{bases:,} bases are more than {MOST_COMPARED:,}: the clusters of the file are taken as they are"
        checks.add("features whose relatives were not looked for", len(own), len(own), detail, False, WARN)
        return
    label = clusters([_pair(line) for line in (*own, *learned)])
    of_training = set(label[len(own) :].tolist())
    found = [pair for pair, cluster in zip(own, label.tolist()) if cluster in of_training]
    named = (
        f"{found[0].get('id', '')} among them" if found else "proteins by peptides of six residues, others by 21-mers"
    )
    checks.add("held-out features alike to training ones", len(found), len(own), named)


def _pair(line: Line) -> Pair:
    return Pair(
        str(line.get("id", "")),
        str(line.get("type", "")),
        line["target"],
        line.get("tags") or {},
        int(line.get("transl_table") or 0),
    )


def _held(lines: Sequence[Line]) -> pd.DataFrame:
    """Return how many features a file of pairs has, by split, organism and kind."""
    seen = Counter(
        (pair["split"], (pair.get("tags") or {}).get("species", ""), pair.get("type", ""))
        for split in ("train", *SPLITS)
        for pair in dna_of(lines, split)
    )
    rows = [(*key, count) for key, count in sorted(seen.items(), key=lambda item: (item[0][0], -item[1]))]
    return pd.DataFrame(rows, columns=["split", "species", "type", "features"])
