"""How alike the proteins of TFs are: DNA-binding domains of a family share words of amino acids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.fasta_records import fasta_records

WORD = 3
"""Amino acids of a word."""


def read_proteins(path: str | Path, tfs: Sequence[str]) -> dict[str, list[str]]:
    """Return the proteins of TFs, several of an isoform each; a record's TF is the first word of its title.

    Raises
    ------
    InputError
        The file is no FASTA, or holds the protein of none of the TFs.
    """
    found: dict[str, list[str]] = {}
    wanted = set(tfs)
    for record in fasta_records(path, fix="Give a FASTA file of proteins."):
        if record.name in wanted:
            found.setdefault(record.name, []).append(record.sequence.upper().rstrip("*"))
    if not found:
        what = f"no protein of a TF of the study, such as {sorted(wanted)[0]}"
        raise InputError(what, where=path, fix="Begin each title with the name of a TF: >MAX.")
    return found


def protein_similarity(proteins: Mapping[str, Sequence[str]], tfs: Sequence[str]) -> pd.DataFrame:
    """Return the similarity of TFs, TFs x TFs: the largest cosine of square roots of counts of 3-mers over their proteins.

    1 for the same protein, 0 where no word is shared; a TF without a protein is like none but itself.
    """
    rows, owner = [], []
    for place, tf in enumerate(tfs):
        for text in proteins.get(tf, []):
            rows.append(Counter(text[at : at + WORD] for at in range(len(text) - WORD + 1)))
            owner.append(place)
    words = {word: column for column, word in enumerate(sorted(set().union(*rows)))}
    table = np.zeros((len(rows), len(words)))
    for row, counts in zip(table, rows):
        row[[words[word] for word in counts]] = np.sqrt(list(counts.values()))
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    found = np.eye(len(tfs))
    for one, values in zip(owner, table @ table.T):
        for other, value in zip(owner, values):
            if one != other:
                found[one, other] = max(found[one, other], value)
    return pd.DataFrame(found, index=list(tfs), columns=list(tfs))
