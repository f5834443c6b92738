"""Variant scores beside gpn's own code and a bare loop, with the same weights, and the memory of a large VCF.

    python benchmark/benchmark_variants.py [--sites 300] [--window 512] [--records 200000] [--only speed|memory]

The genome and the variants are drawn, the same for a seed: all three alternatives of neighbouring sites (a saturation
experiment), and one alternative of sites far apart. Weights are random. Times are CPU seconds of one core; what is done once
(imports, loading the model) is left out: every way scores four variants before it is timed. Memory is the peak of a
process that does nothing else.

gpn's code (`gpn.ss.run_vep`, `pip install "glmflow[gpn]"` and what it imports) compiles the model and asks for fp16
whatever one wants; on a CPU that costs more than the scores, so that it is measured without. Where it cannot be imported
its rows are left out, which is said.
"""

from __future__ import annotations

import argparse
import io
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
from measuring import apart, processor

GPN = {"model_type": "GPN", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 6, "bias": True}
CAUSAL = {"causal": True, "hidden_size": 64, "num_layers": 3, "num_heads": 4, "context": 8192}
TOY = {"hidden_size": 4, "num_layers": 1, "num_heads": 1, "mlp_ratio": 1, "convolution": 0, "context": 64}
TOY_WINDOW = 16
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=300, help="sites of each set of variants (default: 300)")
    parser.add_argument("--window", type=int, default=512, help="bases of a window (default: 512)")
    parser.add_argument("--records", type=int, default=200_000, help="records of the large VCF (default: 200,000)")
    parser.add_argument("--only", choices=("speed", "memory"), help="one of the two tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.only != "memory":
            speed(folder, arguments.sites, arguments.window)
        if arguments.only != "speed":
            memory(folder, arguments.records)
    return 0


def speed(folder: Path, sites: int, window: int) -> None:
    """Print variants a CPU second, and ratios."""
    apart(quietly, prepare, folder, sites)
    print(f"# {sites} sites, windows of {window} bp, one core of {processor()}")
    print("variants", "model", "glmflow /s", "other /s", "times", "the other", sep="\t")
    for kind, count in (("saturation", 3 * sites), ("unique", sites)):
        rows = [
            ("gpn", ours_masked, "bare loop, one pass a site and strand", bare_masked),
            ("gpn", ours_masked, "gpn.ss.run_vep, not compiled", gpn_own),
            ("small causal", ours_causal, "bare loop, two passes an allele and strand", bare_causal),
        ]
        for model, ours, name, theirs in rows:
            if not (folder / model).exists():
                print(kind, model, "left out: the package gpn cannot be imported", sep="\t", flush=True)
                continue
            try:
                seconds = [apart(quietly, warmed, one, folder, kind, window).result for one in (ours, theirs)]
            except ImportError as error:
                print(kind, model, "left out: gpn.ss.run_vep cannot be imported", error, sep="\t", flush=True)
                continue
            rates = [count / one for one in seconds]
            print(
                kind,
                model,
                *(f"{rate:.1f}" for rate in rates),
                f"{rates[0] / rates[1]:.2f}",
                name,
                sep="\t",
                flush=True,
            )


def memory(folder: Path, records: int) -> None:
    """Print rate and peak memory of a large VCF with a toy model, and the rate of each of its steps."""
    apart(quietly, large_vcf, folder, records)
    size = (folder / "large.vcf.gz").stat().st_size / 1e6
    print(
        f"# {records:,} records ({size:.0f} MB, bgzip), a model of one layer of 4 channels, windows of {TOY_WINDOW} bp"
    )
    print("output", "records /s", "CPU s", "peak MB", sep="\t")
    for output in ("scored.vcf.gz", "scored.parquet"):
        seconds, _, peak = apart(quietly, ours_large, folder, output)
        print(output, f"{records / seconds:.0f}", f"{seconds:.0f}", f"{peak:.0f}", sep="\t", flush=True)


def warmed(function: Callable, folder: Path, kind: str, window: int) -> float:
    """Run a function on four variants first; return the seconds of the second run."""
    function(folder, "warm", window)
    return function(folder, kind, window)


def quietly(function: Callable, *arguments: object) -> float:
    """Return what a function says of its CPU seconds, on one thread."""
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    return function(*arguments)


# What is scored
def prepare(folder: Path, sites: int) -> None:
    """Write a genome, two sets of variants, and the models."""
    from glmflow.models import new_model

    random = np.random.default_rng(1)
    genome = LETTERS[random.integers(0, 4, 200_000)]
    (folder / "genome.fa").write_text(f">chr1\n{genome.tobytes().decode()}\n")
    for kind, places in (
        ("saturation", np.arange(50_000, 50_000 + sites)),
        ("unique", np.sort(random.choice(np.arange(5_000, 195_000), sites, replace=False))),
        ("warm", np.arange(20_000, 20_400, 100)),
    ):
        rows = []
        for place in places.tolist():
            others = [base for base in "ACGT" if base != chr(genome[place])]
            for base in others if kind == "saturation" else others[:1]:
                rows.append(f"chr1\t{place + 1}\t.\t{chr(genome[place])}\t{base}\t.\t.\t.\n")
        header = (
            "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=200000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        )
        (folder / f"{kind}.vcf").write_text(header + "".join(rows))
    new_model("small", CAUSAL).save(folder / "small causal")
    try:
        model = new_model("gpn", GPN)
    except Exception:
        return
    model.save(folder / "gpn")
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=gpn_tokenizer(), mask_token="[MASK]", pad_token="[PAD]", unk_token="[UNK]"
    )
    tokenizer.save_pretrained(folder / "gpn tokenizer")


def gpn_tokenizer():
    """Return gpn's tokenizer: single letters, upper-cased."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    names = ("[PAD]", "[MASK]", "[UNK]", "A", "C", "G", "T")
    tokenizer = Tokenizer(models.WordLevel({name: index for index, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.normalizer = normalizers.Replace(Regex("(?!)"), "")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[MASK\]|."), "isolated")
    return tokenizer


def ours(folder: Path, model: str, variants: Path, window: int, output: Path, scores: str | None = None) -> float:
    """Run `glmflow variants`; return the CPU seconds, those of loading the model left out."""
    from glmflow.apply.variants import variants_run
    from glmflow.cli import main as command

    loading = 0.0
    open_model = variants_run.open_model

    def timed(*arguments):
        nonlocal loading
        begin = time.process_time()
        found = open_model(*arguments)
        loading += time.process_time() - begin
        return found

    variants_run.open_model = timed
    begin = time.process_time()
    options = ["--fasta", folder / "genome.fa", "--vcf", variants, "--window", window, "--output", output]
    options += ["--score", scores] if scores else []
    with redirect_stderr(io.StringIO()):
        if command(["variants", "--model", str(folder / model), *map(str, options)]):
            raise RuntimeError("glmflow variants failed")
    return time.process_time() - begin - loading


def ours_masked(folder: Path, kind: str, window: int) -> float:
    """`llr` of all variants."""
    return ours(folder, "gpn", folder / f"{kind}.vcf", window, folder / f"{kind}.parquet", "llr")


def ours_causal(folder: Path, kind: str, window: int) -> float:
    """`ll` of all variants."""
    return ours(folder, "small causal", folder / f"{kind}.vcf", window, folder / f"{kind}.causal.parquet", "ll")


def read(folder: Path, kind: str):
    """Return the genome, and position from 0 and alternative base of each variant."""
    import pandas as pd

    genome = np.frombuffer((folder / "genome.fa").read_text().split("\n")[1].encode(), np.uint8)
    table = pd.read_csv(folder / f"{kind}.vcf", sep="\t", comment="#", header=None, usecols=[1, 4])
    return genome, table[1].to_numpy() - 1, table[4].tolist()


def bare_masked(folder: Path, kind: str, window: int) -> float:
    """Loop over sites: mask each once and read all its alternatives, 16 windows at a time; nothing is checked."""
    import torch
    from glmflow.models import load_model

    model = load_model(folder / "gpn")
    genome, places, _ = read(folder, kind)
    begin = time.process_time()
    sites = np.unique(places)
    with torch.inference_mode():
        for reverse in (False, True):
            for first in range(0, len(sites), 16):
                some = sites[first : first + 16]
                codes = np.stack([genome[place - window // 2 : place + window // 2] for place in some])
                at = window // 2
                if reverse:
                    codes, at = complement(codes)[:, ::-1], window // 2 - 1
                ids = torch.from_numpy(model.tokenizer.pieces(codes.reshape(-1)).ids.reshape(codes.shape).copy())
                ids[:, at] = model.tokenizer.mask_id
                model.network.logits(model.network.states(ids)[:, at]).log_softmax(-1).numpy()
    return time.process_time() - begin


def bare_causal(folder: Path, kind: str, window: int) -> float:
    """Loop over alleles: read both windows whole on both strands, 16 at a time."""
    import torch
    from glmflow.models import load_model

    model = load_model(folder / "small causal")
    genome, places, bases = read(folder, kind)
    begin = time.process_time()
    with torch.inference_mode():
        for reverse in (False, True):
            for first in range(0, len(places), 8):
                some = places[first : first + 8]
                codes = np.stack([genome[place - window // 2 : place + window // 2] for place in some])
                other = codes.copy()
                other[:, window // 2] = [ord(base) for base in bases[first : first + 8]]
                both = np.concatenate([codes, other])
                both = complement(both)[:, ::-1] if reverse else both
                ids = torch.from_numpy(model.tokenizer.pieces(both.reshape(-1)).ids.reshape(both.shape).copy())
                logs = model.network.logits(model.network.states(ids))[:, :-1].log_softmax(-1)
                logs.gather(-1, ids[:, 1:, None]).sum((1, 2)).numpy()
    return time.process_time() - begin


def complement(codes: np.ndarray) -> np.ndarray:
    """Return the complement of codes."""
    table = np.arange(256, dtype=np.uint8)
    table[list(b"ACGT")] = list(b"TGCA")
    return table[codes]


def gpn_own(folder: Path, kind: str, window: int) -> float:
    """Run the script of gpn, function by function, without its compilation."""
    from datasets import Dataset
    from gpn.data import Genome
    from gpn.ss import run_vep
    from transformers import AutoTokenizer, TrainingArguments

    def arguments(**given):
        return TrainingArguments(
            **{**given, "torch_compile": False, "fp16": False, "use_cpu": True, "report_to": "none"}
        )

    run_vep.TrainingArguments = arguments
    genome, places, bases = read(folder, kind)
    rows = {
        "chrom": ["chr1"] * len(places),
        "pos": (places + 1).tolist(),
        "ref": [chr(c) for c in genome[places]],
        "alt": bases,
    }
    tokenizer = AutoTokenizer.from_pretrained(folder / "gpn tokenizer")
    model = run_vep.MLMforVEPModel(str(folder / "gpn"))
    sequences = Genome(str(folder / "genome.fa"))
    begin = time.process_time()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run_vep.run_vep(Dataset.from_dict(rows), sequences, window, tokenizer, model, per_device_batch_size=16)
    return time.process_time() - begin


# A large file
def large_vcf(folder: Path, records: int) -> None:
    """Write a genome of 50 Mb, a VCF with records on it (9 of 10 single bases), and a model of 1 layer."""
    import pysam
    from glmflow.models import new_model

    random = np.random.default_rng(2)
    length = 50_000_000
    genome = LETTERS[random.integers(0, 4, length)]
    text = genome.tobytes().decode()
    (folder / "genome.fa").write_text(f">chr1\n{text}\n")
    places = np.sort(random.integers(1_000, length - 1_000, records))
    kinds = random.integers(0, 20, records)
    shift = random.integers(1, 4, records)
    with pysam.BGZFile(str(folder / "large.vcf.gz"), "w") as file:
        head = (
            "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=50000000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        )
        file.write(head.encode())
        lines = []
        for place, kind, move in zip(places.tolist(), kinds.tolist(), shift.tolist()):
            own = text[place]
            if kind == 0:
                ref, alt = text[place : place + 3], own
            elif kind == 1:
                ref, alt = own, own + "GA"
            else:
                ref, alt = own, "ACGT"[("ACGT".index(own) + move) % 4]
            lines.append(f"chr1\t{place + 1}\trs{place}\t{ref}\t{alt}\t50\tPASS\tAC=1;AF=0.01;AN=200\n")
            if len(lines) == 10_000:
                file.write("".join(lines).encode())
                lines = []
        file.write("".join(lines).encode())
    new_model("small", TOY).save(folder / "toy")


def ours_large(folder: Path, output: str) -> float:
    """Score the large file as a user does who names no score: `llr`, and `flank` of insertions and deletions."""
    return ours(folder, "toy", folder / "large.vcf.gz", TOY_WINDOW, folder / output)


if __name__ == "__main__":
    sys.exit(main())
