"""Whether the people a study names are those of its files: heads of VCFs and matrices are read, and the table of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from glmflow.config import Study, is_made, resolve_data, simulated_people, simulated_vcf, simulation_inputs
from glmflow.errors import InputError

Problem = tuple[tuple[str | int, ...], str]
"""Key of the configuration, and a sentence."""
People = dict[str, str]
"""Population by person."""

FIRST_FASTA = "_allele_1.fasta"


def strange_people(study: Study) -> Iterator[Problem]:
    """Yield the keys that name people whom the study's files lack, with a sentence each.

    Files that a job will make are not looked at; the people of a simulation over real genotypes are those of the real
    ones, which it copies.
    """
    yield from _of_table(study)
    for label in study.predict:
        yield from _of_prediction(study, label)
    people = cache(lambda: _cohort(study))  # tables are read, and pandas imported, where a task needs it
    for label, task in study.tasks.items():
        if task.kind == "snp2gex" and not task.hackathon:
            yield from _of_expression(study, label, people)
            yield from _of_populations(study, label, people)


def _of_table(study: Study) -> Iterator[Problem]:
    """Check that everyone in the table of people has genotypes."""
    cohort = resolve_data(study).cohort
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
    """Check the people whose haplotypes, or own FASTAs, a prediction reads."""
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
            yield ("predict", label, "sample", *place), f"no sample {name!r} in {source}, which has {_shown(people)}"


def _of_expression(study: Study, label: str, cohort: Callable[[], People | None]) -> Iterator[Problem]:
    """Check that a matrix of expression that is given has people of the cohort."""
    path = study.tasks[label].expression
    if path is None or is_made(study, path) or (people := cohort()) is None:
        return
    from glmflow.tasks.snp2gex.expression import measured_people

    try:
        measured = measured_people(path)
        if not set(measured) & people.keys():
            text = f"nobody in {path} has genotypes: it has {_shown(measured)}, the cohort {_shown(people)}"
            yield ("tasks", label, "expression"), f"{text}; name people as the VCF does"
    except InputError as error:
        yield ("tasks", label, "expression"), str(error)


def _of_populations(study: Study, label: str, cohort: Callable[[], People | None]) -> Iterator[Problem]:
    """Check that somebody is of each population that is to be unseen."""
    asked = study.tasks[label].people
    if asked.by != "population" or (people := cohort()) is None:
        return
    known = sorted(set(filter(None, people.values())))
    for position, name in enumerate(asked.test_populations):
        if name not in known:
            mend = f"there are {', '.join(known)}" if known else "give `cohort.samples`, a table that says them"
            key = ("tasks", label, "people", "test_populations", position)
            yield key, f"nobody is known to be of population {name!r}; {mend}"


def _cohort(study: Study) -> People | None:
    """Return the people of the cohort with their populations (empty: not known); None where only a job can tell them."""
    from glmflow.genome.people import read_people

    cohort = resolve_data(study).cohort
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
    """Return the populations of people made from nothing; a simulation over real people knows none."""
    if not (study.simulate and study.simulate.cohort):
        return {}
    population = study.simulate.cohort.population
    return dict(zip(population.names, (name for name, count in population.people.items() for _ in range(count))))


def _genotyped(study: Study, vcf: str) -> list[str] | None:
    """Return the people of a VCF by its header; None where a job will make it, of people not known before."""
    from glmflow.genome.guards import find_samples

    if vcf == simulated_vcf(study):
        copied = simulation_inputs(study)
        return find_samples(Path(copied[1]), None) if copied else simulated_people(study) or None
    return None if is_made(study, vcf) else find_samples(Path(vcf), None)


def _with_fastas(study: Study, folder: str) -> list[str] | None:
    """Return the people who have FASTAs of their own in a folder."""
    if is_made(study, folder):
        return None
    return sorted(path.name.removesuffix(FIRST_FASTA) for path in Path(folder).glob(f"*{FIRST_FASTA}"))


def _shown(names: Iterable[str]) -> str:
    from glmflow.genome.contigs import some

    return some(names, 3) or "nobody"
