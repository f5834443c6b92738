"""Whether the samples a study names are those of its files: headers of VCFs are read, and the table of samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from glmflow import checks
from glmflow.config import Study, is_made, simulated_samples, simulation_inputs
from glmflow.errors import InputError
from glmflow.modules import module, module_names

Problem = tuple[tuple[str | int, ...], str]
"""Key of the configuration, and a sentence."""
Samples = dict[str, str]
"""Population by sample."""

FIRST_FASTA = "_allele_1.fasta"


def unknown_samples(study: Study) -> Iterator[Problem]:
    """Yield the keys that name samples which the study's files lack, with a sentence each.

    Files that a job will make are not looked at; the samples of a simulation over real genotypes are those of the real
    ones, which it copies. What a kind of task checks itself is in the module of this package that is named as the kind.
    """
    yield from _of_table(study)
    for label in study.predict:
        yield from _of_prediction(study, label)
    samples = cache(lambda: cohort_samples(study))  # tables are read, and pandas imported, where a task needs it
    for label, task in study.tasks.items():
        if task.kind in module_names(checks):
            check = getattr(module(checks.__name__, task.kind), "check", None)
            for key, text in check(study, label, samples) if check else ():
                yield ("tasks", label, *key), text


def _of_table(study: Study) -> Iterator[Problem]:
    """Check that every sample of the table has genotypes."""
    cohort = study.data.cohort
    if cohort is None or cohort.samples is None or is_made(study, cohort.samples):
        return
    try:
        genotyped = _genotyped(study, cohort.vcf[0])
    except InputError:  # said where the file itself is looked at
        return
    if genotyped is None:
        return
    from glmflow.genome.people import read_people

    try:
        read_people(cohort.samples, genotyped)
    except InputError as error:
        yield ("cohort", "samples"), str(error)


def _of_prediction(study: Study, label: str) -> Iterator[Problem]:
    """Check the samples whose haplotypes, or own FASTAs, a prediction reads."""
    prediction = study.predict[label]
    if prediction.write == "variants" or not (prediction.vcf or prediction.records):
        return
    source = prediction.vcf or f"{prediction.fasta}/fasta"
    try:
        people = _genotyped(study, source) if prediction.vcf else _with_fastas(study, source)
    except InputError as error:
        yield ("predict", label, "vcf"), str(error)
        return
    for position, name in enumerate(prediction.samples or []):
        if people is not None and name not in people:
            place = [] if isinstance(prediction.sample, str) else [position]
            yield ("predict", label, "sample", *place), f"no sample {name!r} in {source}, which has {shown(people)}"


def cohort_samples(study: Study) -> Samples | None:
    """Return the samples of the cohort with their populations (empty: not known); None where only a job can tell them."""
    from glmflow.genome.people import read_people

    cohort = study.data.cohort
    try:
        genotyped = _genotyped(study, cohort.vcf[0]) if cohort else None
        if cohort is None or genotyped is None:
            return None
        if cohort.samples and is_made(study, cohort.samples):
            return _simulated_populations(study) or dict.fromkeys(genotyped, "")
        table = read_people(cohort.samples, genotyped)
    except InputError:  # said where these files themselves are looked at
        return None
    return dict(zip(table["sample"], table["population"].fillna("") if "population" in table else [""] * len(table)))


def _simulated_populations(study: Study) -> dict[str, str]:
    """Return the populations of samples made from nothing; a simulation over real samples knows none."""
    if not (study.simulate and study.simulate.cohort):
        return {}
    population = study.simulate.cohort.population
    return dict(zip(population.names, (name for name, count in population.people.items() for _ in range(count))))


def _genotyped(study: Study, vcf: str) -> list[str] | None:
    """Return the samples of a VCF by its header; None where a job will make it, of samples not known before."""
    from glmflow.genome.guards import find_samples

    if vcf == study.simulated_vcf:
        copied = simulation_inputs(study)
        return find_samples(Path(copied[1]), None) if copied else simulated_samples(study) or None
    return None if is_made(study, vcf) else find_samples(Path(vcf), None)


def _with_fastas(study: Study, folder: str) -> list[str] | None:
    """Return the samples that have FASTAs of their own in a folder."""
    if is_made(study, folder):
        return None
    return sorted(path.name.removesuffix(FIRST_FASTA) for path in Path(folder).glob(f"*{FIRST_FASTA}"))


def shown(names: Iterable[str]) -> str:
    """Return the first of some names."""
    from glmflow.genome.contigs import some

    return some(names, 3) or "none"
