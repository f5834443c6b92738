"""The examples of a task: every gene in every sample, with its window, its target and its split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.counts import Counts
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.loci import groups_of
from glmflow.genome.reference import Reference
from glmflow.genome.relatives import MIN_MAF, Kinship, family_pairs
from glmflow.genome.splits import used_contigs
from glmflow.genome.tss_windows import place_windows
from glmflow.statistics.correlation import pearson_columns
from glmflow.tasks.tables import EXAMPLE_COLUMNS, Division, Made

from . import leaks
from .cells import TEST, TRAIN, VALIDATION, cell_split, split_genes, split_people
from .expression_matrix import Expression, in_several_versions, match_genes
from .heritability import haseman_elston
from .label_classes import subset_name
from .preprocessing import preprocess


def cohort_examples(
    settings: Mapping[str, Any],
    expression: Expression,
    genes: pd.DataFrame,
    people: pd.DataFrame,
    windows: GeneWindows,
    division: Division,
    truth: pd.DataFrame | None = None,
) -> Made:
    """Make the examples of a task from a cohort's variants and a matrix of expression.

    Parameters
    ----------
    settings
        The task, as configured.
    expression
        The matrix as it was read.
    genes
        Genes of the annotation: `gene_id`, `chrom`, `tss`, `strand`.
    samples
        Genotyped people who take part (`read_people`): `sample`, and where known `population`, `family`.
    windows
        Reads alleles of the cohort.
    division
        How the genome is divided, and the contigs that are used.
    truth
        Genetic part of the expression, genes x samples, where it was simulated; only the ceiling is computed from it.

    Raises
    ------
    InputError
        No gene or no sample is in both the matrix and the cohort, or a split is left empty.
    """
    counts = Counts()
    matrix, people = _shared_people(expression, people, windows.reader.store.samples, counts)
    reference = windows.reader.reference
    used = used_contigs(reference.contigs, division.contigs, division.alternates)
    contigs = {name: reference.contigs[name] for name in windows.reader.store.contigs if name in used}
    placed = _placed_genes(matrix, genes, reference, contigs, settings["windows"], counts, division.alternates)
    placed, dropped = split_genes(placed, settings["genes"], division.splits, contigs, division.size, reference.fetch)
    counts.add_all(dropped)
    names = people["sample"].tolist()
    kinship, haplotypes = read_alleles(placed, windows, names)
    relatives = [*kinship.pairs(settings["people"]["kinship"]), *family_pairs(people.get("family", []))]
    populations = dict(zip(names, people["population"])) if "population" in people else {}
    split, kept_together = split_people(names, settings["people"], populations, relatives)
    counts.add_all(kept_together)
    # Sums and hidden factors are those of all that was measured, also of genes that have no place or no split.
    prepared = preprocess(matrix, split == TRAIN, settings["preprocessing"])
    for reason, names_out in prepared.left_out.items():
        lost = placed.loc[placed["measured"].isin(names_out), "gene_id"].tolist()
        counts.add(reason, len(lost), lost)
    kept = placed["measured"].isin(prepared.values.index).to_numpy()
    placed, haplotypes = placed[kept].reset_index(drop=True), [ids for ids, keep in zip(haplotypes, kept) if keep]
    values = prepared.values.loc[placed["measured"]].set_axis(placed["gene_id"], axis=0)
    counts.add("genes used", len(placed))
    counts.add("samples used", len(names))
    table = cell_table(placed, names, split, values, counts)
    if settings["control"] == "permuted_people":
        table["target"] = permuted_within_genes(table)
    fitted = prepared.factors.loc[prepared.factors["fitted"], "sample"]
    training = [name for name, part in zip(names, split) if part == TRAIN]
    rows = [
        leaks.check_genes(table),
        leaks.check_people(table),
        leaks.check_windows(placed),
        leaks.check_fit("hidden factors and scaling", fitted, training),
        leaks.shared_haplotypes(*sharing(haplotypes, placed["split"], split)),
    ]
    facts = gene_facts(placed, windows, names, split, values, truth)
    together = groups_of(len(names), relatives)
    described = people.assign(split=split, together=together).merge(prepared.factors, on="sample")
    evidence = {
        "samples": names,
        "split": split,
        "populations": [populations.get(name) for name in names],
        **kinship.evidence(),
        "together": together,
        "measured": matrix,
        "values": values,
        "genes": placed,
        "dosages": partial(dosages_of, windows, names),
    }
    tables = {"genes.tsv": facts, "samples.tsv": described}
    return Made(table, counts.table(), leaks.leak_table(rows), tables, evidence)


def dosages_of(windows: GeneWindows, people: Sequence[str], gene: Any) -> NDArray[np.float64]:
    """Return the dosages of the alleles in a gene's window (`chrom`, `start`, `end`), `[people, V]`."""
    return windows.alleles(gene.chrom, gene.start, gene.end, people).dosages


def _shared_people(
    expression: Expression, people: pd.DataFrame, genotyped: Sequence[str], counts: Counts
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the people who take part and have both genotypes and expression.

    `genotyped` are all samples of the cohort, also those whom its table (`cohort.samples`) leaves out.
    """
    counts.add_all(expression.notes)
    measured = list(expression.values.columns)
    known = set(genotyped)
    unnamed = known - set(people["sample"])
    without = [person for person in measured if person not in known]
    left_out = [person for person in measured if person in unnamed]
    unmeasured = [person for person in people["sample"] if person not in set(measured)]
    counts.add("samples without genotypes", len(without), without)
    counts.add("samples with genotypes who are not in cohort.samples", len(left_out), left_out)
    counts.add("samples without expression", len(unmeasured), unmeasured)
    shared = people[people["sample"].isin(measured)].reset_index(drop=True)
    if shared.empty:
        has = "is in cohort.samples" if left_out else "has genotypes"
        raise InputError(
            f"none of the {len(measured)} samples of the expression matrix {has} ({', '.join(measured[:3])} ... "
            f"against {', '.join(people['sample'].head(3))} ...)",
            where="expression",
            fix="Name samples as the VCF does.",
        )
    return expression.values[shared["sample"].tolist()], shared


def _placed_genes(
    matrix: pd.DataFrame,
    genes: pd.DataFrame,
    reference: Reference,
    contigs: Mapping[str, int],
    settings: Mapping[str, Any],
    counts: Counts,
    alternates: str = "leave_out",
) -> pd.DataFrame:
    """Give genes their windows; leave out those that have no place, no value, or a window that cannot be used.

    `measured` is the name of a gene in the matrix.
    """
    match = match_genes(matrix.index, genes["gene_id"])
    several = in_several_versions(matrix.index, genes["gene_id"])
    counts.add("genes of the matrix in several versions of one id", len(several), several)
    unknown = sorted(set(matrix.index) - set(match.values()) - set(several))
    counts.add("genes of the matrix without a place in the annotation", len(unknown), unknown)
    counts.add("annotated genes without expression", len(genes) - len(match))
    if several and not match:
        raise InputError(
            f"every annotated gene of the matrix is there in several versions of its id ({', '.join(several[:3])} ...)",
            where="expression",
            fix="Keep one version of each gene.",
        )
    if not match:
        raise InputError(
            f"no gene of the matrix ({', '.join(map(str, matrix.index[:3]))} ...) is annotated "
            f"({', '.join(genes['gene_id'].head(3))} ...)",
            where="expression",
            fix="Give the annotation by which expression was measured.",
        )
    placed = genes[genes["gene_id"].isin(match)]
    return place_windows(
        placed.assign(measured=placed["gene_id"].map(match)), reference, contigs, settings, counts, alternates
    )


def read_alleles(
    genes: pd.DataFrame, windows: GeneWindows, people: Sequence[str]
) -> tuple[Kinship, list[NDArray[np.int64]]]:
    """Return kinship over all windows, and by gene which distinct haplotype each of a sample's two is, `[samples, 2]`."""
    kinship, haplotypes = Kinship(len(people)), []
    for gene in genes.itertuples(index=False):
        found = windows.alleles(gene.chrom, gene.start, gene.end, people)
        kinship.add(found.dosages)
        rows = np.packbits(found.carried.reshape(2 * len(people), -1).astype(bool), axis=1)
        ids = np.unique(rows, axis=0, return_inverse=True)[1] if rows.shape[1] else np.zeros(2 * len(people), np.int64)
        haplotypes.append(ids.reshape(len(people), 2))
    return kinship, haplotypes


def gene_facts(
    genes: pd.DataFrame,
    windows: GeneWindows,
    people: Sequence[str],
    split: NDArray[np.object_],
    values: pd.DataFrame,
    truth: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return what is known of each gene beside its expression.

    Returns
    -------
    DataFrame
        `gene_id`, `gene_name`, `chrom`, `tss`, `strand`, `split`; `variants` and `common_variants` (minor allele
        frequency of 0.05 or more) in its window, `haplotypes` (distinct ones), `heritability` (see `haseman_elston`;
        over everyone, for it is no part of any training), and with a truth `ceiling`: the correlation of true genetic
        and measured expression in test samples.
    """
    rows = []
    for gene in genes.itertuples(index=False):
        found = windows.alleles(gene.chrom, gene.start, gene.end, people)
        frequency = found.dosages.mean(axis=0) / 2
        y = values.loc[gene.gene_id].to_numpy(float)
        rows.append(
            {
                **{name: getattr(gene, name) for name in ("gene_id", "gene_name", "chrom", "tss", "strand", "split")},
                "variants": int((frequency > 0).sum()),
                "common_variants": int((np.minimum(frequency, 1 - frequency) >= MIN_MAF).sum()),
                "haplotypes": len(np.unique(found.carried.reshape(2 * len(people), -1), axis=0)),
                "heritability": haseman_elston(found.dosages, y),
            }
        )
    facts = pd.DataFrame(rows)
    if truth is not None:
        test = split == TEST
        known = truth.reindex(index=facts["gene_id"], columns=list(people)).to_numpy(float)[:, test]
        facts["ceiling"] = pearson_columns(known.T, values.loc[facts["gene_id"]].to_numpy(float)[:, test].T)
    return facts


def sharing(
    haplotypes: Sequence[NDArray[np.int64]], genes: Sequence[str], people: NDArray[np.object_]
) -> tuple[int, int]:
    """Count the haplotype windows of test samples, in training genes, that some training sample has as well."""
    shared = total = 0
    for ids, split in zip(haplotypes, genes):
        if split == TRAIN:
            test = ids[people == TEST].ravel()
            shared += int(np.isin(test, ids[people == TRAIN]).sum())
            total += len(test)
    return shared, total


def cell_table(
    genes: pd.DataFrame, people: Sequence[str], split: NDArray[np.object_], values: pd.DataFrame, counts: Counts
) -> pd.DataFrame:
    """Return the examples table of genes x samples; pairs without a value or between splits are left out and counted.

    Parameters
    ----------
    genes
        `gene_id`, `chrom`, `start`, `end`, `strand`, `split`.
    samples, split
        Names, and the split of each.
    values
        Targets, genes x samples.
    """
    gene_split, person_split = np.repeat(genes["split"].to_numpy(), len(people)), np.tile(split, len(genes))
    columns = {name: np.repeat(genes[name].to_numpy(), len(people)) for name in ("chrom", "start", "end", "strand")}
    group, sample = np.repeat(genes["gene_id"].to_numpy(str), len(people)), np.tile(np.array(people, str), len(genes))
    target = values.loc[genes["gene_id"], list(people)].to_numpy(float).ravel()
    cell = np.array([cell_split(*pair) for pair in zip(gene_split, person_split)], dtype=object)
    between, missing = np.equal(cell, None), ~np.isfinite(target)
    table = pd.DataFrame(
        {
            "example": [f"{gene}|{person}" for gene, person in zip(group, sample)],
            "split": cell,
            "subset": [subset_name(a == TRAIN, b == TRAIN) for a, b in zip(gene_split, person_split)],
            **columns,
            "sample": sample,
            "group": group,
            "target": target,
        }
    )
    counts.add("pairs of a validation gene and a test sample, or the other way round", between.sum())
    counts.add("pairs without a value", (missing & ~between).sum())
    table = table[~between & ~missing].reset_index(drop=True)
    for name in (TRAIN, VALIDATION, TEST):
        counts.add(f"{name} pairs", (table["split"] == name).sum())
    table = table.assign(**{name: None for name in EXAMPLE_COLUMNS if name not in table})
    return table[[*EXAMPLE_COLUMNS, "target"]]


def permuted_within_genes(table: pd.DataFrame, seed: int = 0) -> NDArray[np.float64]:
    """Return targets with those of training and of validation rows shuffled between the samples of each gene.

    Gene means stay: what a model still learns of samples, gene means alone have taught it. Test rows keep their own.
    """
    target = table["target"].to_numpy(float).copy()
    rng = np.random.default_rng(seed)
    learned = table[table["split"] != TEST]
    for rows in learned.groupby(["group", "split"], sort=False).indices.values():
        places = learned.index.to_numpy()[rows]
        target[places] = target[rng.permutation(places)]
    return target


def redraw(examples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return examples whose learned targets are shuffled once more between the samples of each gene."""
    return examples.assign(target=permuted_within_genes(examples, seed))
