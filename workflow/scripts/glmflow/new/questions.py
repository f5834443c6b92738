"""The files of a study, asked for one by one where none was given."""

from __future__ import annotations

import glob
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUESTIONS = {
    "fasta": ("Genome, FASTA", False),
    "gtf": ("Genes, GTF or GFF3", False),
    "bigwig": ("Tracks, bigWig (several: a pattern such as tracks/*.bw)", True),
    "vcf": ("Phased genotypes, VCF.gz or BCF (a pattern, if one a chromosome)", True),
    "expression": ("Matrix of expression, genes x samples", False),
    "table": ("Table of labelled sequences or variants, of samples and their populations, or of peak files", False),
    "classes": ("Labelled sequences, FASTA, one file a class (a pattern)", True),
    "bed": ("Labelled intervals, BED (a pattern, if one a class)", True),
    "motifs": ("Motifs of transcription factors, MEME or JASPAR", False),
}


def ask_for_files(ask: Callable[[str], str], say: Callable[[str], Any] = print) -> dict[str, Any]:
    """Return the paths that are answered, by option; an empty answer is none, and a path that is not there is asked again.

    Parameters
    ----------
    ask
        Shows a prompt and returns the line that was typed.
    say
        Shows a line.
    """
    say("What do you have? An empty line: not that.")
    answers: dict[str, Any] = {}
    for option, (question, several) in QUESTIONS.items():
        while text := ask(f"{question}: ").strip():
            paths = sorted(glob.glob(text)) if several else [text]  # noqa: PTH207 absolute patterns too
            if paths and all(Path(path).is_file() for path in paths):
                answers[option] = paths if several else text
                break
            say(f"  no such file: {text}")
    return answers
