"""Examples of personal expression: a gene with all or several of its people, each distinct haplotype once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.genome.gene_windows import GeneAlleles, GeneHaplotypes, GeneWindows
from glmflow.models.adapter import Tokens
from glmflow.models.tokenizers import reverse_complement

from .stream import Item

N = ord("N")


class Gene(NamedTuple):
    """A gene and the people it was measured in.

    Attributes
    ----------
    people, example
        Names and example ids, `[P]`.
    split
        train, validation or test, `[P]`.
    target
        Expression, `[P]`.
    """

    name: str
    chrom: str
    start: int
    end: int
    strand: str
    people: NDArray[np.object_]
    example: NDArray[np.object_]
    split: NDArray[np.object_]
    target: NDArray[np.float64]

    def keep(self, chosen: NDArray) -> Gene:
        """Return the gene with some of its people (indices or a mask)."""
        people, example, split, target = (
            value[chosen] for value in (self.people, self.example, self.split, self.target)
        )
        return self._replace(people=people, example=example, split=split, target=target)


class PeopleOfGene(NamedTuple):
    """A gene, the people that are predicted, and the haplotypes they have in its window."""

    gene: str
    people: Sequence[str]
    haplotypes: GeneHaplotypes


def genes_of(examples: pd.DataFrame) -> Iterator[Gene]:
    """Yield the genes of an examples table, in the order of their first appearance."""
    for name, rows in examples.groupby("group", sort=False):
        first = rows.iloc[0]
        columns = (rows[column].to_numpy(object) for column in ("sample", "example", "split"))
        place = (str(first["chrom"]), int(first["start"]), int(first["end"]), str(first["strand"]))
        yield Gene(str(name), *place, *columns, rows["target"].to_numpy(np.float64))


class PersonalWindows:
    """Haplotypes and alleles of genes, as a task asks for them.

    Parameters
    ----------
    windows
        Windows of the cohort.
    reference_only
        Give everyone the reference: the control in which no one differs.
    """

    def __init__(self, windows: GeneWindows, reference_only: bool = False):
        self.windows, self.reference_only = windows, reference_only

    def haplotypes(self, gene: Gene) -> GeneHaplotypes:
        """Return the distinct sequences of a gene's people, read along the gene."""
        read = self.windows.reference if self.reference_only else self.windows.haplotypes
        return read(gene.chrom, gene.start, gene.end, gene.strand, gene.people.tolist())

    def alleles(self, gene: Gene) -> GeneAlleles:
        """Return the variants in a gene's window and who carries them."""
        found = self.windows.alleles(gene.chrom, gene.start, gene.end, gene.people.tolist())
        return found._replace(carried=found.carried * 0) if self.reference_only else found


class PersonalGenes:
    """Makes the item of a gene: its distinct haplotypes and the targets of its people.

    A gene's people are one item, hence never in two micro-batches. Haplotypes are read once and kept.

    Parameters
    ----------
    genes
        Genes with the people that are learned from (or judged).
    within
        Variance between training people of each gene, the unit of its differences, `[G]`.
    people
        Draw so many people of a gene anew each time; all where None.
    shift
        Move windows by up to so many bp, to one side or the other; N comes in.
    reverse_complement
        Turn half of the items around.
    """

    def __init__(
        self,
        genes: Sequence[Gene],
        windows: PersonalWindows,
        within: Sequence[float],
        people: int | None = None,
        shift: int = 0,
        reverse_complement: bool = False,
    ):
        self.genes, self.windows, self.within = list(genes), windows, list(within)
        self.people, self.shift, self.turn = people, shift, reverse_complement
        self._kept: dict[int, GeneHaplotypes] = {}

    def __len__(self) -> int:
        return len(self.genes)

    def describe(self, index: int) -> str:
        """Return the name of a gene."""
        return f"gene {self.genes[index].name}"

    def haplotypes(self, index: int) -> GeneHaplotypes:
        """Return the haplotypes of everyone in a gene, read once."""
        if index not in self._kept:
            self._kept[index] = self.windows.haplotypes(self.genes[index])
        return self._kept[index]

    def counted(self) -> tuple[int, int]:
        """Return how many haplotypes are distinct, gene by gene, and how many there are, in the genes read so far."""
        read = self._kept.values()
        return sum(len(found.sequences) for found in read), sum(found.of_person.size for found in read)

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of gene `index`; without a generator everyone and the window as it is."""
        gene, found = self.genes[index], self.haplotypes(index)
        chosen = np.arange(len(gene.people))
        if generator is not None and self.people and self.people < len(chosen):
            chosen = np.sort(generator.choice(chosen, self.people, replace=False))
        used, of_person = np.unique(found.of_person[chosen], return_inverse=True)
        sequences = found.sequences[used]
        if generator is not None and self.shift:
            sequences = shifted(sequences, int(generator.integers(-self.shift, self.shift + 1)))
        if generator is not None and self.turn and generator.random() < 0.5:
            sequences = np.stack([reverse_complement(sequence) for sequence in sequences])
        return {
            "sequences": sequences,
            "of_person": of_person.reshape(len(chosen), 2),
            "targets": gene.target[chosen].astype(np.float32),
            "within": self.within[index],
        }


def shifted(sequences: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    """Move sequences `[D, L]` to the right by `by` bases (to the left where negative); N takes their place."""
    moved = np.roll(sequences, by, axis=1)
    if by > 0:
        moved[:, :by] = N
    elif by < 0:
        moved[:, by:] = N
    return moved


def collate(
    items: Sequence[Item],
    tokenize: Callable[[list[NDArray[np.uint8]]], Tokens],
    kept: Callable[[list[NDArray[np.uint8]]], torch.Tensor] | None = None,
) -> dict[str, Any]:
    """Stack genes into a batch.

    Parameters
    ----------
    tokenize
        Turns sequences into tokens.
    kept
        Gives the states of sequences in place of their tokens.

    Returns
    -------
    dict
        The fields of `Tokens` for all distinct haplotypes, S of them, or their `binned` states; `of_person` `[N, 2]`
        (rows of S), `gene` `[N]` (genes of the batch from 0), `targets` `[N]` and `within` `[G]`.
    """
    sequences = [sequence for item in items for sequence in item["sequences"]]
    first = np.cumsum([0, *(len(item["sequences"]) for item in items[:-1])])
    of_person = np.concatenate([item["of_person"] + start for item, start in zip(items, first)])
    gene = np.repeat(np.arange(len(items)), [len(item["of_person"]) for item in items])
    return {
        **({"binned": kept(sequences)} if kept is not None else tokenize(sequences)._asdict()),
        "of_person": torch.from_numpy(of_person),
        "gene": torch.from_numpy(gene),
        "targets": torch.from_numpy(np.concatenate([item["targets"] for item in items])),
        "within": torch.tensor([item["within"] for item in items], dtype=torch.float32),
    }
