"""A study's results folder made of numbers from nowhere: the report reads files, so it needs no study to be tested."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import yaml

CONTIGS = {"sim1": 140_000, "sim2": 110_000}
TRACKS = [("blood", "+"), ("blood", "-"), ("liver", "+"), ("liver", "-")]
# model, adaptation, origin, noise (smaller is better), parameters, seconds
RUNS = [
    ("causal", "full", {"pretrain": {"family": "tiny_causal"}}, 0.35, 1_213_000, 84.0),
    ("causal", "lora", {"pretrain": {"family": "tiny_causal"}}, 0.55, 1_213_000, 61.0),
    ("masked", "full", {"pretrain": {"family": "tiny_masked"}}, 0.45, 980_000, 79.0),
    ("masked", "probe", {"pretrain": {"family": "tiny_masked"}}, 0.9, 980_000, 22.0),
    ("cnn", "full", {"new": {"family": "cnn"}}, 0.25, 410_000, 140.0),
    ("mean_track", "baseline", {"baseline": {"kind": "mean_track"}}, 1.6, 0, 0.4),
    ("kmer_ridge", "baseline", {"baseline": {"kind": "kmer_ridge_bins"}}, 1.0, 1024, 3.1),
]


def track_names():
    return [f"{biosample}{'_plus' if strand == '+' else '_minus'}" for biosample, strand in TRACKS]


def make_study(folder, *, runs=RUNS, seeds=(1, 2), tracks=True, cohort=True, simulated=True, genes_per_contig=40):
    """Write `results/{study}` and return its path."""
    results = Path(folder) / "results" / "synthetic"
    rng = np.random.default_rng(7)
    genes = _genes(rng, genes_per_contig)
    (results / "reference").mkdir(parents=True)
    genes.to_csv(results / "reference/genes.tsv", sep="\t", index=False)
    with (results / "reference/genome.fa").open("w") as fasta:
        for contig, length in CONTIGS.items():
            fasta.write(f">{contig}\n{''.join(rng.choice(list('ACGT'), length))}\n")
    signals = {track: _signal(rng, genes, track) for track in track_names()}
    if tracks:
        _tracks(results, rng, signals)
    _examples(results)
    if cohort:
        _cohort(results)
    for model, adaptation, origin, noise, parameters, seconds in runs:
        for seed in seeds:
            run = results / "runs/rnaseq_tracks" / model / adaptation / f"seed{seed}"
            run.mkdir(parents=True)
            own = np.random.default_rng([seed, len(model), int(noise * 100)])
            _run(run, own, genes, signals, model, adaptation, seed, noise, parameters, seconds, origin, tracks)
    provenance = {
        "command": "snakemake --cores 2 results/synthetic/report/index.html",
        "rerun": "snakemake --cores 2 --force {path}",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "hash": "5f1d7a0c9be2",
        "versions": {"python": "3.11.9", "torch": "2.13.0", "snakemake": "9.27.0"},
        "checksums": {"reference/genome.fa": "ab" * 32, "cohort.vcf.gz": "cd" * 32},
        "configuration": {"study": "synthetic", "splits": {"by": "contig", "train": ["sim1"], "test": ["sim2"]}},
        "simulated": "genome, samples, expression and tracks" if simulated else False,
        "misfits": [{"task": "rnaseq_tracks", "model": "mean_track", "adaptation": "lora", "reason": "a baseline has no weights to adapt"}],
        "warnings": [],
    }  # fmt: skip
    (results / "provenance.json").write_text(json.dumps(provenance))
    comparisons().write_comparisons(results)
    return results


def comparisons():
    """Return the module beside this one, which tests of other folders do not find by its name."""
    path = Path(__file__).with_name("synthetic_comparisons.py")
    spec = importlib.util.spec_from_file_location("synthetic_comparisons", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _genes(rng, per_contig):
    rows = []
    for contig, length in CONTIGS.items():
        starts = np.sort(
            rng.choice(
                np.arange(2_000, length - 6_000, 2_500), min(per_contig, (length - 8_000) // 2_500), replace=False
            )
        )
        for start in starts:
            number = len(rows) + 1
            size = int(rng.integers(600, 2_200))
            rows.append((f"SIMG{number:04d}", f"gene{number}", contig, start, start + size, "+-"[number % 2]))
    return pd.DataFrame(rows, columns=["gene_id", "gene_name", "chrom", "start", "end", "strand"])


def _signal(rng, genes, track):
    signal = {contig: np.zeros(length, np.float32) for contig, length in CONTIGS.items()}
    strand = "+" if track.endswith("plus") else "-"
    for gene in genes[genes["strand"] == strand].itertuples():
        level = rng.lognormal(1, 1.2)
        shape = np.clip(np.sin(np.linspace(0, 9, gene.end - gene.start)) + 0.4, 0.05, None)
        signal[gene.chrom][gene.start : gene.end] = level * shape
    return signal


def _write_bigwig(path, signal):
    bigwig = pyBigWig.open(str(path), "w")
    bigwig.addHeader([(contig, len(values)) for contig, values in signal.items()])
    for contig, values in signal.items():
        starts = np.flatnonzero(np.diff(values, prepend=np.nan))  # of runs of equal values: most bases lie in no gene
        ends = [*starts[1:].tolist(), len(values)]
        bigwig.addEntries(
            [contig] * len(ends), starts.tolist(), ends=ends, values=values[starts].astype(float).tolist()
        )
    bigwig.close()


def _tracks(results, rng, signals):
    (results / "tracks").mkdir()
    statistics, replicates = [], []
    for (biosample, strand), (track, signal) in zip(TRACKS, signals.items()):
        _write_bigwig(results / f"tracks/{track}.bw", signal)
        values = np.concatenate(list(signal.values()))
        statistics.append((track, biosample, strand, 3, values[values > 0].mean(), (values > 0).mean()))
        for a, b in ((1, 2), (1, 3), (2, 3)):
            odd = track == "liver_minus" and 3 in (a, b)
            replicates.append(
                (track, f"rep{a}", f"rep{b}", rng.uniform(0.6, 0.66) if odd else rng.uniform(0.95, 0.99), odd)
            )
    pd.DataFrame(
        statistics, columns=["track", "biosample", "strand", "n_replicates", "track_mean", "nonzero_fraction"]
    ).to_csv(results / "tracks/statistics.tsv", sep="\t", index=False)
    pd.DataFrame(replicates, columns=["track", "replicate_a", "replicate_b", "r", "outlier"]).to_csv(
        results / "tracks/replicates.tsv", sep="\t", index=False
    )


def _examples(results):
    (results / "examples").mkdir()
    counts = [
        ("windows used", 131),
        ("windows with too many N", 4),
        ("windows in the blacklist", 2),
        ("windows between splits", 3),
    ]
    write_examples(results, "rnaseq_tracks", counts, [("bases shared by train and test", 0, 110_000, "no")])


def write_examples(results, task, counts, checks):
    """Counts of (item, count), and checks of (check, found, of, leak)."""
    (results / "examples" / task).mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(counts, columns=["item", "count"]).assign(detail="")
    table.to_csv(results / f"examples/{task}.counts.tsv", sep="\t", index=False)
    table = pd.DataFrame(checks, columns=["check", "found", "of", "leak"])
    table.insert(3, "share", table["found"] / table["of"])
    table.assign(detail="").to_csv(results / f"examples/{task}.leakage.tsv", sep="\t", index=False)


def write_metrics(run, rows, **names):
    """Metrics from rows of (split, subset, context_bp, metric, value, half width of the interval, n)."""
    columns = ["split", "subset", "context_bp", "metric", "value", "half", "n"]
    table = pd.DataFrame(rows, columns=columns).assign(study="synthetic", track="all", protocol="strict", **names)
    table["ci_low"], table["ci_high"] = table["value"] - table["half"], table["value"] + table["half"]
    table[METRIC_COLUMNS].to_csv(run / "metrics.tsv", sep="\t", index=False)


METRIC_COLUMNS = [
    "study", "task", "model", "adaptation", "seed", "split", "subset", "track", "context_bp", "metric", "protocol", "value",
    "ci_low", "ci_high", "n",
]  # fmt: skip


def _cohort(results):
    (results / "cohort").mkdir()
    rows = [
        (contig, reason, count)
        for contig in CONTIGS
        for reason, count in (("applied", 1840), ("unphased", 3), ("symbolic", 1))
    ]
    pd.DataFrame(rows, columns=["contig", "reason", "count"]).to_csv(
        results / "cohort/variants.tsv", sep="\t", index=False
    )


def _run(run, rng, genes, signals, model, adaptation, seed, noise, parameters, seconds, origin, tracks):
    rows, tables = [], []
    names = {"study": "synthetic", "task": "rnaseq_tracks", "model": model, "adaptation": adaptation, "seed": seed}
    for track, signal in signals.items():
        mean = {contig: values.mean() for contig, values in signal.items()}
        table = genes.assign(track=track, split=np.where(genes["chrom"] == "sim2", "test", "train"))
        table["observed"] = [signal[g.chrom][g.start : g.end].mean() for g in genes.itertuples()]
        scale = np.exp(rng.normal(0, noise, len(genes)))
        table["predicted"] = table["observed"] * scale + noise * 0.3 * rng.random(len(genes))
        tables.append(table)
        if tracks:
            predicted = {}
            for contig, values in signal.items():
                out = np.full(len(values), 0.05 * mean[contig], np.float32)
                for gene, factor in zip(genes.itertuples(), scale):
                    if gene.chrom == contig:
                        out[gene.start : gene.end] += factor * np.convolve(
                            values[gene.start : gene.end], np.ones(51) / 51, "same"
                        )
                predicted[contig] = out
            (run / "predicted").mkdir(exist_ok=True)
            _write_bigwig(run / f"predicted/{track}.bw", predicted)
        for split in ("train", "test"):
            chosen = table[table["split"] == split]
            a, b = np.log1p(chosen["observed"]), np.log1p(chosen["predicted"])
            r = np.corrcoef(a, b)[0, 1]
            for metric, value, width, n in (
                ("base_log1p_pearson", r - 0.03, 0.03, 58), ("base_pearson", r - 0.06, 0.04, 58), ("base_mse", noise * 2.1, 0.2, 58),
                ("window_pearson", r - 0.15, 0.05, 58), ("window_mse", noise * 2.4, 0.3, 58),
                ("gene_log1p_pearson", r, 0.04, len(chosen)), ("gene_spearman", r - 0.02, 0.05, len(chosen)),
                ("fold_change_pearson", r - 0.3, 0.1, len(chosen)), ("gene_deviation_tested", len(chosen), np.nan, len(chosen)),
            ):  # fmt: skip
                rows.append(names | {"split": split, "subset": "", "track": track, "context_bp": 4096, "metric": metric, "protocol": "strict", "value": value, "ci_low": value - width, "ci_high": value + width, "n": n})  # fmt: skip
    (run / "scores").mkdir()
    pd.DataFrame(rows)[METRIC_COLUMNS].to_csv(run / "metrics.tsv", sep="\t", index=False)
    pd.concat(tables)[
        ["gene_id", "gene_name", "chrom", "start", "end", "strand", "split", "track", "observed", "predicted"]
    ].to_csv(run / "scores/genes.tsv", sep="\t", index=False)
    settings = {"task": {"kind": "rnaseq_tracks"}, "model": origin, "adaptation": {"kind": adaptation}, "hash": "5f1d7a0c9be2", "versions": {"torch": "2.13.0"}}  # fmt: skip
    (run / "run.yaml").write_text(yaml.safe_dump(settings))
    cost = {
        "parameters": parameters, "trainable_parameters": parameters if adaptation == "full" else parameters // 20,
        "train_seconds": seconds * (1 + 0.05 * seed), "peak_memory_mb": 300 + parameters / 4e3, "device": "cpu", "warnings": [],
    }  # fmt: skip
    if model == "masked":
        cost["warnings"].append(
            "windows of 4,096 bp are read in 4 overlapping chunks of 1,024 bp: the model's context is shorter"
        )
    if (model, adaptation) == ("causal", "full"):
        cost["warnings"].append("out of memory at micro-batch 8: halved to 4, accumulation doubled")
    if adaptation != "baseline":
        cost["model"] = {
            "family": "dilated_cnn" if model == "cnn" else "small", "context_bp": None if model == "cnn" else 1024, "licence": "yours",
            "attention": "no attention layers" if model == "cnn" else "sdpa (no GPU)", "cannot": {},
            "chunking": None if model == "cnn" else "windows of 4,096 bp in about 5 chunks",
            "adapted": {"by": "LoRA", "layers": {"query": 2, "up": 2}, "trainable": 3_072} if adaptation == "lora" else None,
        }  # fmt: skip
    if (model, adaptation, seed) == ("causal", "lora", 1):
        rows = [(1, 1e-4, 0.9, 30.0, False), (2, 1e-3, 0.4, 31.0, True)]
        table = pd.DataFrame(rows, columns=["trial", "learning_rate", "validation_loss", "train_seconds", "chosen"])
        table.to_csv(run / "sweep.tsv", sep="\t", index=False)
    (run / "cost.json").write_text(json.dumps(cost))
    prediction = {"predict_seconds": seconds / 9, "predict_peak_memory_mb": 250.0, "parameters": parameters}
    (run / "prediction.json").write_text(json.dumps(prediction))
    if adaptation != "baseline":
        lines = []
        for step in range(1, 401):
            loss = noise + 2.5 * np.exp(-step / 80) + 0.08 * rng.normal()
            line = {"step": step, "loss": loss, "learning_rate": 5e-4 * (1 + np.cos(np.pi * step / 400)) / 2, "grad_norm": abs(1 + 0.3 * rng.normal()), "samples_per_second": 40 + rng.normal(), "memory_mb": 420.0}  # fmt: skip
            lines.append(json.dumps(line))
            if step % 80 == 0:
                lines.append(
                    json.dumps(
                        {"step": step, "eval_loss": loss + 0.1, "eval_log1p_pearson": 1 - noise - np.exp(-step / 80)}
                    )
                )
        (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
