"""Input `gene_haplotypes`: a gene with all or several of its samples, each distinct haplotype computed once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.bases import reverse_complement, shifted
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.distinct import describe_saving
from glmflow.genome.gene_windows import GeneHaplotypes
from glmflow.models.interface import Tokens

from ..frozen_states import compute
from ..parts import Parts
from ..ready import Predictor, Ready
from ..stream import Item, other_strand_drawn
from ..tuned import RunBlocks, Tuned
from .cohort_genes import CohortWindows, Gene, genes_of, open_windows
from .mutation import variant_effects

log = logging.getLogger(__name__)

GENES_OF_A_PART = 20
"""Genes that are predicted between two times that a prediction is kept."""
LEAST_WITHIN = 0.01
"""Share of the mean variance between samples: a gene in which hardly any sample differs does not count for more."""
NO_ROWS = pd.DataFrame({"example": pd.Series(dtype=object), "prediction": pd.Series(dtype=float)})


class GeneItems:
    """Makes the item of a gene: its distinct haplotypes and the targets of its samples.

    The samples of a gene are one item, hence never in two micro-batches. Haplotypes are read once and kept.

    Parameters
    ----------
    genes
        Genes with the samples that are learned from (or validated).
    within
        Variance between training samples of each gene, the unit of its differences, `[G]`.
    samples
        Samples of a gene that are drawn each time; all where None.
    shift
        Largest shift of windows in bp, to either side; N takes the place of what leaves.
    reverse_complement
        Turn half of the items around.
    classes
        Class of each gene, for validation metrics.
    """

    def __init__(
        self,
        genes: Sequence[Gene],
        windows: CohortWindows,
        within: Sequence[float],
        samples: int | None = None,
        shift: int = 0,
        reverse_complement: bool = False,
        classes: Sequence[str] | None = None,
    ):
        self.genes, self.windows, self.within = list(genes), windows, list(within)
        self.samples, self.shift, self.turn = samples, shift, reverse_complement
        self.classes = list(classes) if classes else None
        self._kept: dict[int, GeneHaplotypes] = {}

    def __len__(self) -> int:
        return len(self.genes)

    def describe(self, index: int) -> str:
        """Return the name of a gene."""
        return f"gene {self.genes[index].name}"

    def haplotypes(self, index: int) -> GeneHaplotypes:
        """Return the haplotypes of all samples in a gene, read once."""
        if index not in self._kept:
            self._kept[index] = self.windows.haplotypes(self.genes[index])
        return self._kept[index]

    def summary(self) -> str | None:
        """Return how many of the haplotypes read so far, in this process, are distinct; None where none was read."""
        read = self._kept.values()
        distinct, total = sum(len(found.sequences) for found in read), sum(found.of_person.size for found in read)
        return f"haplotypes learned from: {describe_saving(distinct, total)}" if total else None

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of gene `index`; without a generator all samples and the window as it is."""
        gene, found = self.genes[index], self.haplotypes(index)
        chosen = np.arange(len(gene.samples))
        if generator is not None and self.samples and self.samples < len(chosen):
            chosen = np.sort(generator.choice(chosen, self.samples, replace=False))
        used, haplotypes = np.unique(found.of_person[chosen], return_inverse=True)
        sequences = found.sequences[used]
        if generator is not None and self.shift:
            sequences = shifted(sequences, int(generator.integers(-self.shift, self.shift + 1)))
        if other_strand_drawn(generator, self.turn):
            sequences = np.stack([reverse_complement(sequence) for sequence in sequences])
        return {
            "sequences": sequences,
            "haplotypes": haplotypes.reshape(len(chosen), 2),
            "targets": gene.target[chosen].astype(np.float32),
            "within": self.within[index],
            **({"class": self.classes[index]} if self.classes else {}),
        }


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
        Gives the features of sequences in place of their tokens.

    Returns
    -------
    dict
        The fields of `Tokens` for all distinct haplotypes, S of them, or their `features`; `haplotypes` `[N, 2]`
        (rows of S), `gene` `[N]` (genes of the batch from 0), `targets` `[N]`, `within` `[G]`, and `classes` of the
        genes where items have one.
    """
    sequences = [sequence for item in items for sequence in item["sequences"]]
    first = np.cumsum([0, *(len(item["sequences"]) for item in items[:-1])])
    haplotypes = np.concatenate([item["haplotypes"] + start for item, start in zip(items, first)])
    gene = np.repeat(np.arange(len(items)), [len(item["haplotypes"]) for item in items])
    return {
        **({"features": kept(sequences)} if kept is not None else tokenize(sequences)._asdict()),
        "haplotypes": torch.from_numpy(haplotypes),
        "gene": torch.from_numpy(gene),
        "targets": torch.from_numpy(np.concatenate([item["targets"] for item in items])),
        "within": torch.tensor([item["within"] for item in items], dtype=torch.float32),
        **({"classes": [item["class"] for item in items]} if "class" in items[0] else {}),
    }


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the training and validation genes of a run.

    Parameters
    ----------
    examples
        Examples table: a row a gene and sample.
    files
        `fasta`, and the variant `store` of the cohort.

    Raises
    ------
    InputError
        Nothing to learn from.
    """
    windows = open_windows(run.settings["task"], files["store"], files["fasta"], examples)
    return genes_ready(run, list(genes_of(examples)), windows, [files["fasta"], files["store"]])


def genes_ready(run: RunBlocks, genes: Sequence[Gene], windows: CohortWindows, files: Sequence[str]) -> Ready:
    """Return the training and validation genes of a run, given their haplotypes."""
    adaptation = run.adaptation
    personal, frozen = adaptation.personal, adaptation.kind == "probe"
    learned = [gene.keep(gene.split == "train") for gene in genes if (gene.split == "train").sum() > 1]
    if not learned:
        raise InputError("no gene has two training samples", where="examples", fix="Change the splits.")
    units = spread_of(learned)
    floor = LEAST_WITHIN * units["within"]
    train = GeneItems(
        *(learned, windows, [max(gene.target.var(), floor) for gene in learned], personal.people),
        *((0, False) if frozen else (personal.shift, adaptation.train.reverse_complement)),
    )

    def distinct() -> Iterator[NDArray[np.uint8]]:
        used = (gene.keep(np.isin(gene.split, ("train", "validation"))) for gene in genes)
        return (windows.haplotypes(gene).sequences for gene in used if len(gene.samples))

    return Ready(
        train=train,
        validation=validation_items(genes, {gene.name for gene in learned}, windows, floor),
        collate=collate,
        fitted=units,
        length=run.task.windows.size,
        files=files,
        distinct=distinct,
        at_once=run.task.sequences_at_once(adaptation),
    )


def spread_of(genes: Sequence[Gene]) -> dict[str, float]:
    """Return `mean`, and the variances `within` genes, `between` their means and in `total` of training targets.

    Where targets are standardised by gene, gene means are alike, and errors in them are measured by the variance within.
    """
    within = float(np.mean([gene.target.var() for gene in genes]))
    means = np.array([gene.target.mean() for gene in genes])
    if within == 0:
        raise InputError("no gene differs between training samples", where="examples", fix="Look at the expression.")
    between = max(float(means.var()), within)
    return {"mean": float(means.mean()), "within": within, "between": between, "total": within + between}


def validation_items(genes: Sequence[Gene], seen: set[str], windows: CohortWindows, floor: float) -> GeneItems | None:
    """Return the validation samples and genes; None where there are none."""
    held_out = [gene.keep(gene.split == "validation") for gene in genes if (gene.split == "validation").sum() > 1]
    if not held_out:
        return None
    classes = ["seen" if gene.name in seen else "unseen" for gene in held_out]
    return GeneItems(held_out, windows, [max(gene.target.var(), floor) for gene in held_out], classes=classes)


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Write `variants.tsv`, the effect of every common variant, and return the predictions of all held-out examples.

    Each distinct haplotype of a gene is computed once. A model that was trained on both strands is read on both. Genes
    are kept in parts until all are done.
    """
    windows = open_windows(predictor.run.settings["task"], files["store"], files["fasta"], examples)
    return predict_genes(predictor, list(genes_of(examples)), windows, parts, folder)


def predict_genes(
    predictor: Predictor, genes: Sequence[Gene], windows: CohortWindows, parts: Parts, folder: Path
) -> pd.DataFrame:
    """Predict genes as `predict` does, given their haplotypes."""
    distinct = windows_read = 0

    def some(part: Sequence[Gene]) -> list[pd.DataFrame]:
        nonlocal distinct, windows_read
        rows, variants = [NO_ROWS], []
        for gene in part:
            held_out = gene.keep(gene.split != "train")
            if len(held_out.samples):
                found = windows.haplotypes(held_out)
                distinct, windows_read = distinct + len(found.sequences), windows_read + found.of_person.size
                values = predict_samples(predictor, found.sequences, found.of_person)
                rows.append(pd.DataFrame({"example": held_out.example, "prediction": values}))
            variants.append(variant_effects(gene, windows, partial(predict_carriers, predictor)))
        return [concatenated(rows), concatenated(variants)]

    tables = []
    for first in range(0, len(genes), GENES_OF_A_PART):
        part = genes[first : first + GENES_OF_A_PART]
        tables.append(parts.tables(first, partial(some, part)))
        log.info("predicted %d of %d genes", first + len(part), len(genes))
    log.info("haplotypes predicted: %s", describe_saving(distinct, windows_read))
    rows, variants = map(concatenated, zip(*tables))
    write_table(variants, folder / "variants.tsv")
    return rows


def concatenated(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables, of which the empty ones (they know no types) count only where all are empty."""
    tables = list(tables)
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def pairs(n: int) -> NDArray[np.int64]:
    """Return samples that carry one of `n` haplotypes twice, `[n, 2]`."""
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


def predict_carriers(predictor: Predictor, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Predict samples `[S]` that carry one of some sequences `[S, L]` twice."""
    return predict_samples(predictor, sequences, pairs(len(sequences)))


def predict_samples(
    predictor: Predictor, sequences: NDArray[np.uint8], of_sample: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Predict samples `[P]` from distinct haplotypes `[D, L]` and the two that each of them has, `[P, 2]`."""
    run = predictor.run
    both = run.adaptation.train.reverse_complement and predictor.kept is None
    return sample_values(
        predictor.model, sequences, of_sample, run.task.sequences_at_once(run.adaptation), both, predictor.kept
    )


def sample_values(
    model: Tuned,
    sequences: NDArray[np.uint8],
    of_sample: NDArray[np.int64],
    batch: int,
    both_strands: bool,
    kept: Any = None,
) -> NDArray[np.float64]:
    """Return the predictions of samples `[P]` from distinct haplotypes `[D, L]` and the two that each has, `[P, 2]`.

    The same haplotypes in another order, as another file may give them, have the same values to the last bit: they are
    computed in the order of their bases.
    """
    order = sorted(range(len(sequences)), key=lambda number: sequences[number].tobytes())
    sequences, of_sample = sequences[order], np.argsort(order)[of_sample]
    if kept is None:
        features = features_of_strands(model, list(sequences), batch, both_strands)
    else:
        compute(kept, model, sequences, batch)
        features = kept(sequences)[:, None].to(model.device)
    carriers = {"haplotypes": torch.from_numpy(of_sample).to(features.device)}
    with torch.no_grad():
        strands = [model.target.read(features[:, strand], carriers) for strand in range(features.shape[1])]
    return torch.stack(strands).double().mean(0).cpu().numpy()


def features_of_strands(
    model: Tuned, sequences: Sequence[NDArray[np.uint8]], batch: int, both_strands: bool
) -> torch.Tensor:
    """Return the features of sequences, or those of both strands side by side: `[S, 1 or 2, ...]`."""
    strands = [list(sequences)]
    if both_strands:
        strands.append([reverse_complement(sequence) for sequence in sequences])
    found = [
        torch.cat([model.features_of(read[start : start + batch]) for start in range(0, len(read), batch)])
        for read in strands
    ]
    return torch.stack(found, dim=1)
