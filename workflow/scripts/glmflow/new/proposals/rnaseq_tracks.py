"""Coverage from sequence is proposed for bigWig files with the genome: --bigwig --fasta."""

from __future__ import annotations

from glmflow.new.divisions import window_bp
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, low_rank
from glmflow.new.track_names import grouped, read_names

PUBLISHED = ("genos-1.2b", "nucleotide-transformer-v2-500m", "caduceus-ph-131k")


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return tracks by the names of their files, a small network, baselines, and published models with a control."""
    if not found.signals:
        return None
    window = window_bp(found.contigs)
    tracks, guesses = _tracks(found)
    settings = {
        "tracks": tracks,
        "tasks": {"coverage": {"kind": "rnaseq_tracks", "windows": {"size": window, "overlap": window // 2}}},
        "models": {"cnn": {"new": {"family": "dilated_cnn"}}},
        "adaptations": {"scratch": _scratch(window), **BASELINE},
        "runs": [{"tasks": ["coverage"], "models": ["cnn"], "adaptations": ["scratch"], "seeds": [1, 2, 3]}],
    }
    simple = baselines("mean_track", "nearest_training", kmer_bins={"kind": "kmer_ridge_bins", "k": 5, "bin": 128})
    if found.genes_here:
        simple |= baselines(kmer_promoter={"kind": "kmer_ridge_promoter", "k": 6, "bin": 400})
    else:
        guesses.append("no annotation (--gtf): scores by gene and the baseline of promoters are left out")
    settings["models"] |= simple
    settings["runs"].append({"tasks": ["coverage"], "models": list(simple), "adaptations": ["baseline"]})
    models = listed(*PUBLISHED)
    lora = low_rank(epochs=3, batch=32, reverse_complement=True)
    settings["models"] |= models
    settings["adaptations"] |= {"lora": lora, "lora_random": {**lora, "weights": "random"}}
    settings["runs"].append({"tasks": ["coverage"], "models": list(models), "adaptations": ["lora", "lora_random"]})
    comments = {
        (
            "tracks",
        ): "Biosample, strand and replicate as the names of the files say. Look at them: fold changes compare "
        "biosamples, and replicates are averaged.",
        (
            "tasks",
            "coverage",
            "windows",
        ): f"The longest power of two up to 32,768 that gives this genome about a hundred "
        f"windows ({sum(found.contigs.values()):,} bp).",
        ("models", "cnn"): "Trained from random weights: what sequence alone teaches here.",
        (
            "adaptations",
            "lora_random",
        ): "The control of every published model: the same network without its pretraining.",
    }
    return Draft(settings, comments, guesses, list(models))


def _tracks(found: FoundFiles) -> tuple[dict, list[str]]:
    """Return the block `tracks` and what was guessed of it."""
    negative = {signal.path for signal in found.signals if signal.negative}
    groups = grouped(read_names([signal.path for signal in found.signals]))
    tracks, guesses = {}, []
    for group in groups:
        track = {"biosample": group.biosample, "strand": group.strand, "replicates": group.paths}
        tracks[group.label] = track | ({"negate": True} if negative & set(group.paths) else {})
        guesses.append(
            f"track {group.label}: biosample {group.biosample}, strand {group.strand}, "
            f"{len(group.paths)} replicate{'s' * (len(group.paths) != 1)} ({', '.join(group.paths[:3])}"
            f"{', ...' if len(group.paths) > 3 else ''}){', values negated' if 'negate' in tracks[group.label] else ''}"
        )
    return tracks, guesses


def _scratch(window: int) -> dict:
    """Return how a small network is trained; updates see about the same number of bases whatever the window."""
    crop = min(window, 16_384)
    batch = max(4, 65_536 // crop)
    train = {"optimizer": "adamw", "learning_rate": 4.0e-3, "warmup": 0.3, "steps": 900, "batch": batch}
    return {
        "kind": "full",
        "head": {"kind": "linear"},
        "train": {**train, "micro_batch": min(4, batch), "crop": crop, "reverse_complement": True},
    }
