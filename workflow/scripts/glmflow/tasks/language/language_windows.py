"""Windows of the held-out sequences of a corpus, with what their controls and strata need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.tasks.language import Language
from glmflow.corpus.corpus_overview import overview
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import TAGS, CorpusWindows
from glmflow.corpus.sequence_records import MASKED, UNKNOWN, letters
from glmflow.corpus.training_part import training_pieces
from glmflow.errors import InputError
from glmflow.genome.repeated_segments import find_repeats
from glmflow.tasks.tables import WARN, Checks, Division, Made, counts_table, examples_table

MOST_TRAINING = 100_000_000
"""Training bases that windows are compared with at most."""
BLOCK = 10_000
"""Bases of a sequence whose windows are one unit of resampling: neighbours are alike."""
ATTEMPTS = 50
"""Draws for each window that is wanted."""
NOVELTY = ((0.0, "no_shared"), (0.05, "little_shared"), (1.0, "much_shared"))
"""Strata of held-out sequences by the share of their bases in matches to training."""


def examples(task: Language, files: Mapping[str, Any], division: Division) -> Made:
    """Return windows of the held-out sequences: the longest context and, after it, the bases that are scored.

    Columns beside those of every kind: ``sequence``, ``far`` (another window's bases, for a control), ``scored``,
    ``marks`` (of each scored base: 1 in lower case, 2 continues a copy earlier in the window, 3 both), and what is known of the
    sequence (``species`` ...). Further tables say what
    the corpus holds (``corpus.tsv``), and why viruses of eukaryotes were kept, where they were.

    Raises
    ------
    InputError
        No held-out sequence is long enough.
    """
    corpus = Corpus(Path(files["corpus"]).parent)
    tables, counts = [], {}
    for split in ("test", "genus"):
        if not (corpus.of(split)["length"] >= task.window_bp).any():
            continue
        table = _windows(task, corpus, split)
        tables.append(table)
        counts[f"windows of {split}"] = len(table)
    if not tables:
        raise InputError(
            f"no held-out sequence holds a window of {task.window_bp} bases",
            where="corpora.*.split",
            fix="Hold out more, or take shorter contexts.",
        )
    found, checks = pd.concat(tables, ignore_index=True), Checks()
    held_out = corpus.table[corpus.table["split"].isin(["test", "genus"])]
    bases = int(held_out["length"].sum())
    shared = int((held_out["shared"] * held_out["length"]).sum())
    detail = "within the bound of the corpus (`max_shared`); scores stand by how much of a sequence is shared"
    checks.add("bases in matches of 32 or more to training", shared, bases, detail, leak=False, threshold=bases)
    training = int(corpus.of("train")["length"].sum())
    if (left := training - MOST_TRAINING) > 0:
        detail = f"copies are looked for in {MOST_TRAINING:,} bases, spread over all sequences"
        checks.add("training bases that copies are not looked for in", left, training, detail, leak=False, status=WARN)
    exclusions = corpus.exclusions
    counts["viruses of eukaryotes left out of the corpus"] = exclusions.left_out
    counts["viruses of eukaryotes kept"] = exclusions.kept
    counts["sequences of the corpus whose files say nothing but a name"] = exclusions.unjudged
    facts = {"corpus.tsv": overview(corpus)}
    if exclusions.reason:
        facts["viruses_kept.tsv"] = pd.DataFrame([{"reason": exclusions.reason, "sequences": exclusions.kept}])
    return Made(examples_table(found), counts_table(counts), checks.table(), facts)


def compared(task: Language, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return what is compared for copies: the windows, context and all, and the training sequences of the corpus."""
    training = training_pieces(Corpus(Path(files["corpus"]).parent), MOST_TRAINING, task.window_bp)
    return pd.concat([table[["example", "split", "sequence"]], training], ignore_index=True)


def _windows(task: Language, corpus: Corpus, split: str) -> pd.DataFrame:
    windows = CorpusWindows(corpus, split, task.window_bp, both_strands=False)
    rng, rows, seen = np.random.default_rng([task.seed, len(split)]), [], set()
    for _ in range(ATTEMPTS * task.windows):
        if len(rows) == task.windows:
            break
        row, start, codes = windows.place(rng)
        scored = codes[-task.scored :]
        if (row, start) in seen or ((scored & 7) >= UNKNOWN).any():
            continue
        seen.add((row, start))
        sequence, own = letters(codes), corpus.table.loc[row]
        copies = (find_repeats(sequence, task.repeat_k) > 0)[-task.scored :]
        marks = (scored >= MASKED).astype(int) + 2 * copies
        novelty = next((name for most, name in NOVELTY if own["shared"] <= most), NOVELTY[-1][1])
        rows.append(
            {
                "example": f"{own['sequence']}:{start}-{start + task.window_bp}",
                "split": split,
                "subset": f"{novelty};{own['division']}",
                "group": f"{own['sequence']}/{start // BLOCK}",
                "sequence": sequence.tobytes().decode(),
                "scored": task.scored,
                "marks": "".join(map(str, marks)),
                **{name: own[name] for name in TAGS},
            }
        )
    table = pd.DataFrame(rows)
    # The next window but half the table: of another place, and mostly of another sequence.
    return table.assign(far=np.roll(table["sequence"].to_numpy(), len(table) // 2 or 1))
