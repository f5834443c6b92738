"""What each allele of a VCF adds to the expression that a tuned model predicts for the genes around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.training.inputs.cohort_genes import Gene
from glmflow.training.inputs.gene_haplotypes import predict_carriers
from glmflow.training.inputs.mutation import mutated
from glmflow.training.loop.checkpoints import fingerprint
from glmflow.training.ready import Predictor

from .annotated_vcf import Field, annotate, field_name, reasons_with
from .applied_model import DEFAULT, Strictness

AT_ONCE = 256
"""Windows with an allele that are predicted at a time, about."""


def annotate_expression(
    tuned: Predictor,
    genome: Reference,
    genes: Sequence[Gene],
    vcf: Path,
    output: Path,
    model: Path,
    how: Strictness = DEFAULT,
) -> Counter[Reason]:
    """Write a VCF with what each alternative allele does to the predicted expression of the genes around it.

    The field `GLM_{task}` (one value an alternative allele) is what one copy of the allele, put alone into the reference,
    adds to the prediction, as `effect` in the `variants.tsv` of a run; of several genes in whose windows it begins, the
    largest. `GLM_{task}_genes` names all of them, `GENE:difference` with `&` between, the largest first. An allele begins
    where a VCF has it when it is written as short as can be: at the base before an insertion or deletion.

    Parameters
    ----------
    genes
        With their windows, all as long.
    model
        Folder of the model, which tells whether an earlier attempt that was stopped can be gone on with.

    Raises
    ------
    InputError
        The file cannot be read, or is of another genome.
    """
    task, name = tuned.run.settings["task"], field_name(tuned.run.settings["task_label"])
    size = task["windows"]["size"]
    what = f"predicted expression that one copy of the allele adds, {size} bp windows"
    fields = [
        Field(name, "Float", f"{what}; of several genes the largest"),
        Field(f"{name}_genes", "String", f"{what}: GENE:difference of every gene, largest first"),
    ]
    identity = {key: fingerprint([path]) for key, path in (("model", model), ("fasta", genome.path), ("vcf", vcf))}
    identity |= {"size": size, "variants": task["variants"]}
    identity["genes"] = [[gene.name, gene.chrom, gene.start, gene.strand] for gene in genes]
    around = GenesAround(tuned, genome, genes)

    def score(edits: Edits) -> pd.DataFrame:
        inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
        removed = edits.end - edits.start
        reason = reasons_with(edits, np.maximum(removed, inserted) > size // 2, Reason.TOO_LONG)
        if task["variants"] == "snv":
            reason[(reason == 0) & ~((removed == 1) & (inserted == 1))] = Reason.NOT_SNV
        found = around.effects(edits, np.flatnonzero(reason == 0))
        reason[(reason == 0) & [not one for one in found]] = Reason.OUTSIDE_OF_WINDOWS
        ordered = [sorted(one, key=lambda effect: -abs(effect[1])) for one in found]
        texts = ["&".join(f"{quote(gene)}:{effect:.5g}" for gene, effect in one) or None for one in ordered]
        largest = np.array([one[0][1] if one else np.nan for one in ordered], float)
        return pd.DataFrame({name: largest, f"{name}_genes": pd.Series(texts, dtype=object), "reason": reason})

    return annotate(vcf, genome, output, fields, score, identity, how)


class GenesAround:
    """The genes in whose windows alleles begin, and what one copy of an allele adds to each.

    Parameters
    ----------
    tuned
        The model.
    genome
        The reference.
    genes
        With their windows, all as long.
    """

    def __init__(self, tuned: Predictor, genome: Reference, genes: Sequence[Gene]):
        self._tuned, self._genome, self._genes = tuned, genome, genes
        self._size = genes[0].end - genes[0].start
        self._reference: dict[int, float] = {}  # of genes by number: predicted once a run
        self._starts: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        for chrom in {gene.chrom for gene in genes}:
            numbers = np.array([number for number, gene in enumerate(genes) if gene.chrom == chrom])
            own = np.array([genes[number].start for number in numbers])
            order = np.argsort(own, kind="stable")
            self._starts[chrom] = own[order], numbers[order]

    def effects(self, edits: Edits, members: NDArray[np.int64]) -> list[list[tuple[str, float]]]:
        """Return the genes around each edit, and what one copy of it adds to them; none of edits that are no members."""
        found: list[list[tuple[str, float]]] = [[] for _ in range(len(edits))]
        by_gene: dict[int, list[int]] = {}
        for edit in members.tolist():
            for gene in self._near(edits, edit):
                by_gene.setdefault(gene, []).append(edit)
        for some in _gathered(sorted(by_gene.items())):
            sequences, owners = self._sequences(edits, some)
            values = predict_carriers(self._tuned, np.concatenate(sequences))
            for (gene, edit), value in zip(owners, values.tolist()):
                if edit is None:
                    self._reference[gene] = value
                else:
                    found[edit].append((self._genes[gene].name, (value - self._reference[gene]) / 2))
        return found

    def _near(self, edits: Edits, edit: int) -> list[int]:
        """Return the genes in whose windows an edit begins, by number."""
        starts, numbers = self._starts.get(edits.names[edits.contig[edit]], (np.empty(0), np.empty(0, np.int64)))
        start, removed, inserted = int(edits.start[edit]), edits.end[edit] - edits.start[edit], len(edits.bases[edit])
        begin = start - (not removed or not inserted)
        return numbers[starts.searchsorted(begin - self._size, "right") : starts.searchsorted(begin, "right")].tolist()

    def _sequences(self, edits: Edits, some: Sequence[tuple[int, list[int]]]) -> tuple[list[NDArray], list[tuple]]:
        """Return the windows of some genes with an allele each, before them the reference where it is not known yet."""
        sequences, owners = [], []
        for gene, own in some:
            rows = [(int(edits.start[i]), -1, "N" * int(edits.end[i] - edits.start[i]), edits.bases[i]) for i in own]
            variants = pd.DataFrame(rows, columns=["pos", "end", "ref", "alt"])
            windows = mutated(self._genes[gene], self._genome, variants)
            known = gene in self._reference
            sequences.append(windows[known:])
            owners += [(gene, edit) for edit in ([] if known else [None]) + own]
        return sequences, owners


def _gathered(items: Sequence[tuple[int, list[int]]]) -> Iterator[list[tuple[int, list[int]]]]:
    """Yield some genes at a time whose alleles are about `AT_ONCE`."""
    some: list[tuple[int, list[int]]] = []
    for item in items:
        some.append(item)
        if sum(len(own) for _, own in some) >= AT_ONCE:
            yield some
            some = []
    if some:
        yield some
