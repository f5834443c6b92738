"""Genes of a panel as examples, and how much of each the training sequences hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.config.tasks.gene_completion import GeneCompletion
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.training_part import training_part, training_pieces
from glmflow.dna.completed_genes import Gene, read_panel
from glmflow.dna.exact_matches import WIDTH, Collection
from glmflow.tasks.tables import WARN, Checks, Division, Made, counts_table, examples_table

HELD = 0.5
"""Share of the bases that have to be written, in matches of 32 and more to training, from which on a gene is known to it."""


def examples(task: GeneCompletion, files: Mapping[str, Any], division: Division) -> Made:
    """Return a row a continuation: gene (`group`), `organism`, prompt (`sequence`), `to_write` (residues), `place` in the panel.

    The table ``genes.tsv`` says of each gene how much of it the training part of the corpus holds (`held`).
    """
    genes = read_panel(Path(files["panel"]))
    names = _names(genes)
    rest = [gene.genomic[gene.start + 3 * gene.given :] for gene in genes]
    held = [float("nan")] * len(genes)
    rows = [
        {
            "example": f"{name}_{sample}",
            "split": "test",
            "group": name,
            "sequence": gene.prompt,
            "organism": gene.organism,
            "to_write": len(gene.protein) - gene.given,
            "place": place,
        }
        for place, (name, gene) in enumerate(zip(names, genes))
        for sample in range(task.samples)
    ]
    checks = Checks()
    if "corpus" in files:
        training = training_part(
            Corpus(Path(files["corpus"]).parent), task.most_training, max(map(len, rest), default=0)
        )
        held = _held(rest, training.texts)
        if training.left:
            check, detail = (
                "training bases that genes are not looked for in",
                "raise `most_training`; they are spread evenly",
            )
            checks.add(check, training.left, training.bases, detail, False, WARN)
        known = sum(share >= HELD for share in held)
        detail = "what they are completed to may be recalled; the page says which" if known else ""
        checks.add("genes that training holds", known, len(genes), detail, False, WARN if known else None)
    facts = pd.DataFrame(
        {
            "gene": names,
            "organism": [gene.organism for gene in genes],
            "prompt_bp": [len(gene.prompt) for gene in genes],
            "to_write": [len(gene.protein) - gene.given for gene in genes],
            "held": held,
        }
    )
    counts = counts_table({"genes": len(genes), "continuations by each model": len(rows)})
    return Made(examples_table(pd.DataFrame(rows)), counts, checks.table(), {"genes.tsv": facts})


def compared(task: GeneCompletion, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame | str:
    """Return what is compared for copies: what has to be written of each gene, and the training sequences of the corpus."""
    if "corpus" not in files:
        return "no corpus is named (`corpus`), so that genes are compared with no training sequence"
    rest = [gene.genomic[gene.start + 3 * gene.given :] for gene in read_panel(Path(files["panel"]))]
    genes = table.drop_duplicates("group")
    own = genes[["group", "split"]].set_axis(["example", "split"], axis=1)
    own = own.assign(sequence=[rest[place] for place in genes["place"]])
    overlap = max(map(len, rest), default=0)
    training = training_pieces(Corpus(Path(files["corpus"]).parent), task.most_training, overlap)
    return pd.concat([own, training], ignore_index=True)


def _names(genes: list[Gene]) -> list[str]:
    """Return a name a gene: with its organism, where two are called alike."""
    plain = [gene.name for gene in genes]
    named = [gene.name if plain.count(gene.name) == 1 else f"{gene.name} {gene.organism}" for gene in genes]
    return [name if named.count(name) == 1 else f"{name} {place}" for place, name in enumerate(named)]


def _held(rest: Sequence[str], texts: Sequence[str]) -> list[float]:
    """Return of what has to be written of each gene the share that training sequences hold."""
    training = Collection(texts)
    return [training.match(bases).covered(WIDTH) / max(1, len(bases)) for bases in rest]
