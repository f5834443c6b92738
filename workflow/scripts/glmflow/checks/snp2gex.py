"""Checks of kind `snp2gex`: whether matrix and populations go with the cohort, by headers; what its examples hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from glmflow.config import Study, is_made
from glmflow.errors import InputError

if TYPE_CHECKING:
    from glmflow.config.task_block import TaskBlock
    from glmflow.tasks.tables import Made

    from .audit import Audit
from .named_samples import Problem, Samples, shown


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield the keys of a task that name samples or populations which the cohort lacks.

    `cohort` returns the samples with their populations; None where only a job can tell them.
    """
    if not study.tasks[label].hackathon:
        yield from _of_expression(study, label, cohort)
        yield from _of_populations(study, label, cohort)


def _of_expression(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Check that a matrix of expression that is given has samples of the cohort."""
    path = study.tasks[label].expression
    if path is None or is_made(study, path) or (samples := cohort()) is None:
        return
    from glmflow.tasks.snp2gex.expression_matrix import measured_samples

    try:
        measured = measured_samples(path)
        if not set(measured) & samples.keys():
            text = f"no sample of {path} has genotypes: it has {shown(measured)}, the cohort {shown(samples)}"
            yield ("expression",), f"{text}; name samples as the VCF does"
    except InputError as error:
        yield ("expression",), str(error)


def _of_populations(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Check that each population that is to be unseen has samples."""
    asked = study.tasks[label].people
    if asked.by != "population" or (samples := cohort()) is None:
        return
    known = sorted(set(filter(None, samples.values())))
    for position, name in enumerate(asked.test_populations):
        if name not in known:
            fix = (
                f"there are {', '.join(known)}"
                if known
                else "give `cohort.samples`, a table with a column `population`"
            )
            key = ("people", "test_populations", position)
            yield key, f"no sample is known to be of population {name!r}; {fix}"


FEW_SAMPLES = 20
"""Samples below which swapped labels are not looked for."""


def audits(task: TaskBlock, files: Mapping[str, Any], made: Made, data: Mapping[str, Any]) -> list[Audit]:
    """Return what is wrong with the matrix, its samples and its genes, as far as there is evidence (`Made.evidence`).

    Raises
    ------
    InputError
        Groups that stay together leave a split with less than half of its share.
    """
    evidence = made.evidence
    found = _of_matrix(task, evidence) if "measured" in evidence else []
    if "kinship" in evidence:
        from .relations import related_samples

        found += related_samples(evidence)
    if "genes" in evidence:
        found += [*_of_shares(task, evidence), *_of_loci(evidence["genes"])]
    return found


def _of_matrix(task: TaskBlock, evidence: Mapping[str, Any]) -> list[Audit]:
    """Return what is wrong with units, columns, populations and labels of a matrix."""
    from .audit import graded

    names, split, populations = evidence["samples"], evidence["split"], evidence["populations"]
    measured = evidence["measured"].to_numpy(float)
    unknown = [not (isinstance(name, str) and name) for name in populations]
    known = not all(unknown)
    groups = ["" if missing else str(name) for name, missing in zip(populations, unknown)] if known else None
    found = _of_values(task, measured, names, groups, split)
    note = "populations are known" if known else "no population known: the null does not account for structure"
    if known and any(unknown):
        note = f"the population of {sum(unknown):,} of {len(names):,} samples is not known: they count as one, whatever they are"
    one = groups is not None and len(set(groups)) == 1
    if groups and one:
        note = f"every sample is of population {groups[0]}: the null does not account for structure within it"
    found.append(graded("structure of samples", max(sum(unknown) / max(1, len(names)), one), note, warn=0))
    if len(names) >= FEW_SAMPLES:
        found.append(_of_labels(evidence, groups))
    return found


def of_files(study: Study, label: str) -> list[Audit]:
    """Return what is wrong with the units and columns of a matrix that is given, before any job."""
    task = study.tasks[label]
    if task.hackathon or task.expression is None or is_made(study, task.expression):
        return []
    from glmflow.tasks.snp2gex.expression_matrix import read_expression

    values = read_expression(task.expression).values
    return _of_values(task, values.to_numpy(float), list(values.columns))


def _of_values(
    task: TaskBlock, table: Any, names: list[str], groups: list[str] | None = None, split: Any = None
) -> list[Audit]:
    """Return what is wrong with units, columns and rows of a matrix `[genes, samples]`, by its values alone."""
    from .copied_columns import copied_columns
    from .copied_rows import copied_rows
    from .matrix_values import average_columns, combined_columns, missing_codes, one_distribution
    from .profiles import standardised_genes, unlike_profiles
    from .units import matrix_facts, mixed_units

    found = mixed_units(matrix_facts(table, names), groups, task.preprocessing.log)
    pairs, copied = copied_columns(table, names, split)
    found += [
        copied,
        copied_rows(table),
        unlike_profiles(table, names),
        standardised_genes(table),
        missing_codes(table),
    ]
    found.append(average_columns(table, names))
    return [*found, one_distribution(table, names), combined_columns(table, names, set(pairs["other"]))]


def _of_labels(evidence: Mapping[str, Any], groups: list[str] | None) -> Audit:
    """Return whether samples' expression goes with their genotypes, by up to 300 genes."""
    import numpy as np

    from .matrices import MOST_GENES, swapped_labels

    genes, values = evidence["genes"], evidence["values"]
    chosen = np.random.default_rng(0).permutation(len(genes))[:MOST_GENES]
    dosages = [evidence["dosages"](gene) for gene in genes.iloc[chosen].itertuples(index=False)]
    expression = values.to_numpy(float)[chosen]
    return swapped_labels(expression, dosages, evidence["samples"], groups).audit


def _of_shares(task: TaskBlock, evidence: Mapping[str, Any]) -> Iterator[Audit]:
    """Yield whether relatives that stay together leave each split its share; stop where they do not."""
    from .relations import require_shares

    people = task.people
    if people.by == "random":
        shares = {"train": 1 - people.validation - people.test, "validation": people.validation, "test": people.test}
        fix = f"Give a higher `kinship` than {people.kinship:g}, families in cohort.samples, or other shares."
        yield require_shares(evidence["split"], shares, evidence["together"], "samples", "people.kinship", fix)


def _of_loci(genes: Any) -> Iterator[Audit]:
    """Yield whether genes of one locus (readthrough, several ids, neighbouring starts) are in several splits."""
    import pandas as pd

    from glmflow.genome.loci import locus_groups

    from .audit import graded, named

    table = pd.DataFrame(
        {"locus": locus_groups(genes), "split": genes["split"].to_numpy(), "gene": genes["gene_id"].to_numpy()}
    )
    parted = table.groupby("locus").filter(
        lambda part: part["split"].nunique() > 1 and (part["split"] == "train").any()
    )
    held_out = parted[parted["split"] != "train"]
    text = f"{len(held_out):,} held-out genes are of one locus with genes of training (one start, readthrough, several ids)"
    text += f": {named(list(held_out['gene']))}" if len(held_out) else ""
    yield graded("one locus in training and held out", len(held_out), text, warn=0)
