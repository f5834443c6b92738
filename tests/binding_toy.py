"""A genome with sites, peaks over them, motifs, and three people: the files of a study of binding."""

import numpy as np
import pysam
from glmflow.binding.motif_files import Motif, write_meme

SITE = "TGACGTCATG"
PEOPLE = ["ann", "bob", "cyd"]
TASK = {
    "kind": "seq2cellxtf",
    "samples": "peaks",
    "motifs": "m.meme",
    "splits": {"by": "contig", "train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]},
    "keys": {"cells": ["k"], "validation": 0.2},
    "universe": {"width": 200},
    "length": 160,
    "components": 0,
}
"""A task on these files, in whose folder it runs."""
CNN = {"new": {"family": "promoter_cnn", "config": {"filters": 8, "channels": 8}}}
"""A model small enough for them."""


def write_binding_files(folder):
    """Write `genome.fa`, `peaks/`, `m.meme` and `people.vcf.gz`.

    Of the first region of chr3 `ann` has lost the site on her first haplotype and `bob` on both; `cyd` has two deleted
    bases in the second.
    """
    rng = np.random.default_rng(3)
    contigs, places = {}, {}
    for name, size, count in (("chr1", 22_000, 22), ("chr2", 12_000, 10), ("chr3", 12_000, 10)):
        letters = rng.choice(list("ACGT"), size)
        places[name] = np.arange(count) * 900 + 700
        for place in places[name][::2]:
            letters[place : place + len(SITE)] = list(SITE)
        contigs[name] = "".join(letters)
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    peaks = folder / "peaks"
    peaks.mkdir()
    for cell in "hjk":
        for tf, first in (("CREB", 0), ("OTHER", 1)):
            lines = [
                f"{name}\t{at - 50}\t{at + 60}\t.\t0\t.\t9\t-1\t3\t55\n"
                for name in contigs
                for at in places[name][first::2]
            ]
            (peaks / f"{cell}_{tf}.narrowPeak").write_text("".join(lines))
    counts = np.where(np.eye(4)[["ACGT".index(base) for base in SITE]] > 0, 97.0, 1.0)
    write_meme(
        [Motif("M1.1", "CREB", counts), Motif("M2.1", "OTHER", rng.dirichlet([0.3] * 4, 8) * 100)], folder / "m.meme"
    )
    text, site, other = contigs["chr3"], int(places["chr3"][0]), int(places["chr3"][1])
    changed = "A" if text[site + 4] != "A" else "C"
    rows = [
        f"chr3\t{site + 5}\t.\t{text[site + 4]}\t{changed}\t.\tPASS\t.\tGT\t1|0\t1|1\t0|0\n",
        f"chr3\t{other + 1}\t.\t{text[other : other + 3]}\t{text[other]}\t.\tPASS\t.\tGT\t0|0\t0|0\t0|1\n",
    ]
    lengths = "".join(f"##contig=<ID={name},length={len(text)}>\n" for name, text in contigs.items())
    head = '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n' + lengths
    names = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *PEOPLE])
    (folder / "people.vcf").write_text(f"{head}{names}\n{''.join(rows)}")
    pysam.tabix_index(str(folder / "people.vcf"), preset="vcf")
