"""What the verdict on a task rests on: loci x families as units, the part within populations, the null of structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.loci import locus_groups
from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.correlation import constant_columns
from glmflow.statistics.influence import mean_correlation, mean_value
from glmflow.statistics.permutation import PERMUTATIONS, null_scores, share_above
from glmflow.statistics.resampling import CORRELATION, interval
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.tables import metric_row

from .gene_scores import matrices, sorted_unique

HEADLINE = "cross_individual_pearson"


class People(NamedTuple):
    """What is known of samples: population and family (of what is kept together as related) by name; empty where unknown."""

    populations: Mapping[str, str] = {}
    families: Mapping[str, str] = {}


def people_of(samples: pd.DataFrame) -> People:
    """Return populations and families of a table of samples.

    Parameters
    ----------
    samples
        `sample`, and where known `population`, and `together` (what splits keep together: families and samples related by
        their genotypes) or else `family`.
    """
    found = []
    for column in ("population", "together" if "together" in samples else "family"):
        known = samples[column].fillna("").astype(str) if column in samples else pd.Series("", samples.index)
        found.append({name: value for name, value in zip(samples["sample"].astype(str), known) if value})
    return People(*found)


def comparable_scores(
    rows: pd.DataFrame, loci: Mapping[str, int], people: People, limits: pd.DataFrame, permutations: int = PERMUTATIONS
) -> dict[str, Stored]:
    """Return the scores of one class between samples by metric, with what a comparison needs.

    Parameters
    ----------
    rows
        `sample`, `group` (gene), `target`, `prediction`; each pair once.
    loci
        Locus of each gene; genes that share one are one unit.
    people
        Populations, within which samples are permuted, and families, which are one unit.
    limits
        `group`, and where known `ceiling` and `heritability` of each gene.
    permutations
        Permutations of samples within populations; none where 0.
    """
    observed, predicted = matrices(rows)
    samples, genes = sorted_unique(rows["sample"]), sorted_unique(rows["group"])
    locus = [loci[gene] for gene in genes]
    family = [people.families.get(name, f"sample {name}") for name in samples]
    group = [people.populations.get(name, "") for name in samples]
    known = 2 * sum(map(bool, group)) >= len(group) > 0  # of few known ones nothing follows for the others
    units = digest(samples, genes, locus, family, np.round(observed, 6).ravel())
    score = mean_correlation(observed, predicted, locus, family)
    structured = known and len(set(group)) > 1
    facts = {"constant": float(constant_columns(predicted).mean()), **_ceiling(limits, locus, genes)}
    return {
        HEADLINE: Stored(
            score,
            units,
            bounds=CORRELATION,
            within=mean_correlation(observed, predicted, locus, family, within=group) if structured else None,
            null=null_scores(observed, predicted, group, permutations) if permutations else None,
            groups_known=known,
            facts=facts,
        )
    }


def _ceiling(limits: pd.DataFrame, locus: list[int], genes: NDArray[np.str_]) -> dict[str, float]:
    """Return the upper limit of the largest mean correlation that there can be, over the same loci; none if unknown."""
    table = limits.set_index("group").reindex(genes)
    for column in ("ceiling", "heritability"):
        if column in table and table[column].notna().any():
            values = np.nan_to_num(table[column].to_numpy(float)).clip(0)
            found = interval([mean_value(np.sqrt(values) if column == "heritability" else values, locus)])
            return {"ceiling_high": found.high} if np.isfinite(found.high) else {}
    return {}


def loci_of(examples: pd.DataFrame, genes: pd.DataFrame) -> dict[str, int]:
    """Return the locus of each gene of a task, by its window, start, id and name; its own where no place is known.

    Parameters
    ----------
    examples
        `group` (gene), and where known `chrom`, `start`, `end`.
    genes
        `gene_id`, and where known `tss`, `gene_name`; or `locus`, where windows are no places on chromosomes.
    """
    if "locus" in genes:
        return dict(zip(genes["gene_id"], pd.factorize(genes["locus"])[0].tolist()))
    names = [name for name in ("group", "chrom", "start", "end") if name in examples]
    table = examples.drop_duplicates("group")[names].reset_index(drop=True)
    own = {name: f"gene {name}" for name in table["group"]}
    if len(names) < 4:
        return {name: number for number, name in enumerate(own)}
    facts = genes[[name for name in ("gene_id", "gene_name", "tss") if name in genes]]
    placed = table.merge(facts, left_on="group", right_on="gene_id", how="left").assign(gene_id=table["group"])
    if "tss" in placed and placed["tss"].isna().any():
        placed = placed.drop(columns="tss")
    known = placed.dropna(subset=["chrom", "start", "end"])
    own |= dict(zip(known["group"], (f"locus {number}" for number in locus_groups(known))))
    return dict(zip(own, pd.factorize(pd.Series(own))[0].tolist()))


def permutation_rows(found: Mapping[str, Stored]) -> list[dict[str, Any]]:
    """Return the null as rows of a metrics table: its mean with its 2.5 and 97.5 percentiles, and p."""
    one = found[HEADLINE]
    if one.null is None:
        return []
    low, high = np.percentile(one.null, [2.5, 97.5])
    null = Interval(float(one.null.mean()), float(low), float(high), len(one.null))
    return [
        metric_row("cross_individual_permuted", null),
        metric_row("cross_individual_permutation_p", share_above(one.score.value, one.null), len(one.null)),
    ]
