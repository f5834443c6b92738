"""`glmflow refseq`: genomes for a corpus, by assembly or by division; run it where there is a network."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from glmflow.errors import InputError

FORMS = ("genbank", "fasta")


def add_refseq_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `refseq` to the commands."""
    parser = subparsers.add_parser(
        "refseq",
        description="Fetch genomes of RefSeq into a folder, each file held to its published MD5: of a group the assemblies that "
        "are asked for (one reference genome a species), or a whole division of the release. What it takes is said first; "
        "--dry-run stops there. An interrupted run resumes, within files too. Give the folder to a corpus "
        "(`sources: [{path: FOLDER/*.gbff.gz}]`).",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--group", help="assemblies of a group: bacteria, archaea, viral, fungi, plant, invertebrate ...")
    what.add_argument("--division", help="a division of the release: viral, plasmid, plastid, mitochondrion ...")
    what.add_argument("--summary", type=Path, metavar="FILE", help="assemblies of a local assembly_summary.txt")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--format", choices=FORMS, default=FORMS[0], help="genbank also holds taxon and host (default)")
    parser.add_argument(
        "--organism", nargs="+", default=[], metavar="NAME", help="beginnings of names of organisms (default: all)"
    )
    parser.add_argument(
        "--category", default="reference genome", help="refseq_category, '' for all (default: reference genome)"
    )
    parser.add_argument("--level", default="", help="assembly_level, as 'Complete Genome' (default: all)")
    parser.add_argument(
        "--per-species", type=int, default=1, metavar="N", help="assemblies of a species, 0 for all (default: 1)"
    )
    parser.add_argument(
        "--most", type=int, default=0, metavar="N", help="assemblies in all (default: as many as there are)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what there is and how large, and fetch no genome")
    parser.add_argument("--address", help="a mirror: the address before GROUP/assembly_summary.txt or DIVISION/")
    parser.set_defaults(run=run_refseq)


def run_refseq(arguments: argparse.Namespace) -> int:
    """Say what is asked for and fetch it; return the exit code."""
    from . import refseq

    folder, form = arguments.output, arguments.format
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.division:
        base = (arguments.address or refseq.RELEASE).rstrip("/")
        files = refseq.with_sizes(refseq.release_files(arguments.division, folder, form, base, time.sleep))
        known = sum(file.bytes or 0 for file in files)
        unknown = sum(file.bytes is None for file in files)
        more = f"; of {unknown:,} the size is not known" if unknown else ""
        print(f"{len(files):,} files, {known / 1e9:.3g} GB to download{more}")
        if not arguments.dry_run:
            refseq.fetch(files, folder, sys.stderr)
        return 0
    if min(arguments.per_species, arguments.most) < 0:
        raise InputError("a number below 0", where="--per-species, --most", fix="Give 0 for all.")
    base = (arguments.address or refseq.REFSEQ).rstrip("/")
    path = arguments.summary or refseq.fetch_summary(arguments.group, folder, base, time.sleep)
    choice = refseq.Choice(
        arguments.organism, arguments.category, arguments.level, arguments.per_species, arguments.most
    )
    found = refseq.chosen(refseq.read_summary(path), choice)
    print(refseq.said_size(found, form))
    if not arguments.dry_run:
        refseq.fetch_assemblies(found, folder, form, sys.stderr, time.sleep)
    return 0
