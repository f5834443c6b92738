"""`glmflow new`: a study file from one's own files, or from a study that comes with the workflow."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from glmflow.config import check_study, read_yaml
from glmflow.config.published import LISTED, published
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.modules import module_names

from . import proposals
from .commented_yaml import commented_yaml
from .draft import Draft
from .found_files import FoundFiles
from .machine import machine_at_hand
from .presets import preset_text, presets
from .questions import ask_for_files
from .study_draft import study_draft

SCHEMA = LISTED.parents[1] / "workflow" / "schemas" / "config.schema.json"
FILES = ("fasta", "vcf", "gtf", "bigwig", "expression", "bed", "table", "motifs", "classes")
SEVERAL = ("vcf", "bigwig", "bed", "classes")
NEXT = ("glmflow check {}", "snakemake -n --configfile {}", "snakemake --cores 2 --configfile {}")
"""What follows once a study is written: its check, what would run, and the run."""


def add_new_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `new STUDY` to the commands of `glmflow`."""
    parser = subparsers.add_parser(
        "new",
        description="Read the headers of your files, write a commented study file that passes `glmflow check`, and say what "
        "was guessed. Without files it asks for them.",
    )
    parser.add_argument("study", type=Path, help="the file to write, such as config/studies/mine.yaml")
    parser.add_argument("--fasta", help="genome")
    parser.add_argument("--gtf", help="genes, GTF or GFF3")
    parser.add_argument(
        "--bigwig", nargs="+", action="extend", default=[], help="RNA-seq coverage, any number of files"
    )
    parser.add_argument(
        "--vcf", nargs="+", action="extend", default=[], help="phased genotypes, labelled variants, or sites alone"
    )
    parser.add_argument("--expression", help="matrix of genes x samples: BED, GCT, TSV or CSV")
    parser.add_argument(
        "--bed", nargs="+", action="extend", default=[], help="intervals: one file a class, or with labels"
    )
    parser.add_argument(
        "--table",
        help="labelled sequences, intervals or variants; samples and populations; or peak files (file, cell, tf)",
    )
    parser.add_argument(
        "--classes", nargs="+", action="extend", default=[], help="labelled sequences, FASTA: one file a class"
    )
    parser.add_argument("--motifs", help="motifs of transcription factors, MEME or JASPAR")
    parser.add_argument(
        "--kind",
        action="append",
        help=f"propose this kind of task only (may be repeated): {', '.join(module_names(proposals))}",
    )
    parser.add_argument(
        "--gpu", help="GPU that models have to fit: l40, a100, h100 ..., or none; default: this machine's"
    )
    parser.add_argument("--preset", help=f"start from a study that ships with glmflow: {', '.join(presets())}")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.set_defaults(run=run_new)


def run_new(arguments: argparse.Namespace) -> None:
    """Write the study, check it as `glmflow check` does, and print what was guessed.

    Raises
    ------
    InputError
        The file is there already; a file is not what it is given for; or the study has to be corrected before it runs.
    """
    path: Path = arguments.study
    if path.exists() and not arguments.force:
        raise InputError("is there already", where=path, fix="Give another name, or --force.")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.stem).strip("_.-")
    if not name:
        raise InputError("no name for a study", where=path, fix="Give a file such as mine.yaml.")
    files = {option: getattr(arguments, option) for option in FILES}
    if arguments.preset:
        if any(files.values()):
            raise InputError("a preset names its own files", fix="Give --preset or files, not both.")
        write(path, preset_text(arguments.preset, name), f"From the preset {arguments.preset}.")
        after(path)
        return
    if not any(files.values()):
        if not sys.stdin.isatty():
            raise InputError(
                "no files given", fix="Give --fasta, --bigwig, --table ..., or --preset; see glmflow new -h."
            )
        files |= ask_for_files(input)
    found = FoundFiles(**{option: value or (() if option in SEVERAL else None)
                          for option, value in files.items()})  # fmt: skip
    draft = study_draft(name, found, machine_at_hand(arguments.gpu), arguments.kind)
    write(path, text_of(draft), "")
    for guess in draft.guesses:
        print(f"  {guess}")
    check(path)
    after(path)


def text_of(draft: Draft) -> str:
    """Return a study as commented YAML: what was guessed stands in its head."""
    import textwrap

    head = ["Proposed by `glmflow new` from the headers of the files. Guessed, so look at it:"]
    lines = [f"# {line}" for line in head]
    for guess in draft.guesses:
        lines += textwrap.wrap(guess, 116, initial_indent="#   ", subsequent_indent="#     ")
    return "\n".join(lines) + "\n" + commented_yaml(draft.settings, draft.comments)


def write(path: Path, text: str, remark: str) -> None:
    """Write a study with the line by which editors find the schema of its keys."""
    lines = []
    if SCHEMA.is_file():
        relative = Path(os.path.relpath(SCHEMA, path.parent.resolve())).as_posix()
        lines.append(f"# yaml-language-server: $schema={relative}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join([*lines, text]))
    print(f"{path} is written. {remark or 'Guessed, so look at it:'}")


def check(path: Path) -> None:
    """Check a study as `glmflow check` does, its files included."""
    from glmflow.checks.study_files import check_inputs

    check_inputs(check_study(read_yaml(path), path, published() or None), path)


def after(path: Path) -> None:
    """Print what to do next."""
    print("Next: " + "; ".join(f"`{command.format(path)}`" for command in NEXT))
