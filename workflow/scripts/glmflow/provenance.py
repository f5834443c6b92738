"""How a result was made: settings, their hash, versions and checksums."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from glmflow.config import Misfit, Study, settings_hash
from glmflow.files import atomic_path, sha256

PACKAGES = (
    *(
        "glmflow",
        "snakemake",
        "torch",
        "transformers",
        "accelerate",
        "peft",
        "numpy",
        "pandas",
        "scipy",
        "scikit-learn",
    ),
    *("pysam", "cyvcf2", "isal", "pybedtools", "pyfaidx", "msprime", "matplotlib", "flash-attn"),
)
TYPED = "status/command.txt"
"""Below a study's results: how Snakemake was called last."""


def versions() -> dict[str, str]:
    """Return the versions of what results depend on; packages that are not installed are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit(folder: str | Path = ".") -> str | None:
    """Return the commit of the repository at `folder`, marked where files differ from it; None outside of one."""
    if not shutil.which("git"):
        return None
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or None


def write_run(settings: Mapping[str, Any], path: str | Path) -> None:
    """Write `run.yaml`: a run's resolved settings, their hash and the versions it was made with."""
    content = {**settings, "hash": settings_hash(dict(settings)), "versions": versions()}
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False))


def record_command(results: str | Path, arguments: Sequence[str]) -> None:
    """Write down how Snakemake was called (`sys.argv`), for the provenance of what this call makes.

    It stands in a file, and not among the parameters of a rule: called with other `--cores`, nothing has to be made again.
    """
    with atomic_path(Path(results) / TYPED) as temporary:
        temporary.write_text(shlex.join(["snakemake", *arguments[1:]]) + "\n")


def typed_command(results: str | Path) -> str | None:
    """Return the last call of Snakemake for a study as it was typed, or None where it was not written down."""
    path = Path(results) / TYPED
    return path.read_text().strip() if path.exists() else None


def write_provenance(
    study: Study, misfits: Sequence[Misfit], command: str, path: str | Path, files: Iterable[str] = ()
) -> None:
    """Write `provenance.json`: what the whole study was made from and with.

    `command` is how the study can be made again on any machine; how it was made is what `record_command` wrote down. `files` are
    those that the study names besides genome, variants and tracks; folders have no checksum.
    """
    data = study.data
    named = [data.reference.fasta] if data.reference else []
    named += data.cohort.vcf if data.cohort else []
    named += [file for track in data.tracks.values() for file in track.replicates]
    named = dict.fromkeys([*named, *files])
    content = {
        "command": typed_command(study.results) or f"{command} (what was typed is not known)",
        "rerun": command.replace("snakemake", "snakemake {path}", 1),
        "git_commit": git_commit(),
        "hash": settings_hash(study.model_dump(mode="json")),
        "configuration": yaml.safe_dump(study.model_dump(mode="json", exclude_none=True), sort_keys=False),
        "versions": versions(),
        "checksums": {file: sha256(file) for file in named if Path(file).is_file()},
        "simulated": describe_simulation(study),
        "misfits": [misfit._asdict() for misfit in misfits],
        "warnings": [],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def describe_simulation(study: Study) -> str | bool:
    """Return what of the data is simulated, for the label on every page."""
    if study.simulate is None:
        return False
    if study.simulate.cohort:
        return "genome, genotypes, genes, tracks and expression are simulated"
    if study.simulate.genome_alone:
        return "the genome is simulated"
    overlay = study.simulate.overlay
    edited = "flanks of real variants edited" if overlay.edit_flanks else "sequence untouched"
    spacing = overlay.pseudo_gene_spacing_bp
    added = f"; pseudo-genes of one exon, one every {spacing:,} bp, stand beside the real genes" if spacing else ""
    return f"tracks and expression are simulated on real sequence and real genotypes ({edited}){added}"
