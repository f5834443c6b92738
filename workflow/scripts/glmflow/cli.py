"""What a user runs by hand: `glmflow new`, `check`, `audit`, `haplotype`, `average`, `predict`, `score`, `likelihood` ..."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from glmflow.doctor import installed_version
from glmflow.errors import InputError


class Command(NamedTuple):
    """A command: the module whose `add_{name}_command` adds its arguments, and what it is for, in a line."""

    module: str
    about: str


COMMANDS = {
    "doctor": Command("doctor", "what this machine and this environment can and cannot run"),
    "new": Command("new.new_command", "a study file from your own files"),
    "check": Command("checks.study_files", "mistakes of a study's file, with their lines"),
    "audit": Command("checks.commands", "find copies of training sequences among held-out ones"),
    "haplotype": Command("genome.haplotype_command", "write a sample's haplotype as FASTA"),
    "average": Command("tracks.average_command", "mean of bigWig tracks, exact at every base"),
    "score": Command("tasks.score_command", "score predictions that were made elsewhere"),
    "suite": Command("report.suite_command", "models over the tasks of a study: scores, ranks, cost"),
    "parity": Command("models.model_commands", "compare a model with stored outputs of the original implementation"),
    "likelihood": Command("models.model_commands", "score sequences with a language model"),
    "stream": Command(
        "apply.stream_command", "bits per base of whole genomes, read as one stream with a carried state"
    ),
    "embed": Command("apply.embed_command", "write embeddings (hidden states) of sequences or regions"),
    "predict": Command("apply.predict_command", "apply a tuned model to a genome, samples or variants"),
    "variants": Command("apply.variants.variants_command", "score variants with language models, without training"),
    "dependencies": Command(
        "apply.dependencies.dependencies_command",
        "dependency maps: which bases of a sequence a model's predictions depend on",
    ),
    "mutagenesis": Command(
        "apply.mutagenesis.mutagenesis_command",
        "in-silico mutagenesis: every single-base change of some intervals, as scores, tracks and figures",
    ),
    "refseq": Command("fetching.refseq_command", "fetch genomes of RefSeq for a corpus, checked and resumed"),
    "pairs": Command("corpus.annotation_pairs_command", "pairs of DNA and text from annotated genomes, as JSONL"),
    "described": Command(
        "validating.described_command", "bits of DNA saved by its text, with controls, of a model that reads both"
    ),
    "generate": Command(
        "apply.generated.generate_command", "draw sequences from a causal model, screened before they are written"
    ),
    "validate": Command(
        "validating.validate_command", "compare generated sequences with held-out real ones and with controls"
    ),
    "complete": Command(
        "apply.generated.completion_command", "let a causal model complete genes, and score the proteins"
    ),
    "answer": Command("apply.answer_command", "answer questions about pairs of alleles with a tuned model"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; each mistake in the input, or a file that cannot be read or written, is one line; exit code 1."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="glmflow", description="Set up, check and audit a study, and run single steps of the workflow by hand."
    )
    version = installed_version("glmflow") or "(not installed: run from its sources)"
    parser.add_argument("--version", action="version", version=f"glmflow {version}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        if words[:1] != [name]:  # only what is run is imported: some commands load torch
            subparsers.add_parser(name, help=command.about)
            continue
        try:
            add = getattr(import_module(f"glmflow.{command.module}"), f"add_{name}_command")
            add(subparsers)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("glmflow"):
                raise
            print(
                f"glmflow {name}: the package {error.name} is missing; `glmflow doctor` says how to set up what is needed",
                file=sys.stderr,
            )
            return 1
    parsed = parser.parse_args(words)
    try:
        return parsed.run(parsed) or 0
    except InputError as error:
        for line in str(error).splitlines():
            print(f"glmflow {parsed.command}: {line}", file=sys.stderr)
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"glmflow {parsed.command}: {place}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if arguments is not None:  # called from Python, where it is to be seen
            raise
        print(f"glmflow {parsed.command}: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
