"""`glmflow generate`: draw sequences from a causal model, or one of masked diffusion, behind the gate."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from glmflow.errors import InputError

WINDOWS = (50, 200)


def add_generate_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `generate` to the commands."""
    parser = subparsers.add_parser(
        "generate",
        description="Draw what follows each prompt, screen it in memory against a FASTA of hazards, and write what passes: "
        "sequences.fa.gz, sequences.parquet, generation.json and a log whose lines are chained by hashes (audit.jsonl). No "
        "base of a blocked sequence is written. The same seed gives the same bytes for any --batch; an interrupted run resumes.",
    )
    parser.add_argument("--model", type=Path, help="checkpoint folder, or a model pretrained here")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--prompts", type=Path, metavar="FASTA", help="prompts (default: the model's start token alone)"
    )
    parser.add_argument(
        "--bed", type=Path, metavar="REGIONS", help="take these regions of the genome in --prompts (BED) as prompts"
    )
    parser.add_argument("--prompt-bases", type=int, metavar="N", help="use the last N bases of each prompt")
    parser.add_argument("--n", type=int, default=1, help="sequences of each prompt (default: 1)")
    parser.add_argument("--length", type=int, default=1000, help="bases to draw (default: 1000)")
    parser.add_argument("--temperature", type=float, default=1.0, help="divides the logits (default: 1)")
    parser.add_argument("--top-k", type=int, help="draw from the k likeliest tokens only")
    parser.add_argument(
        "--top-p", type=float, help="draw from the fewest likeliest tokens whose probabilities add up to this"
    )
    parser.add_argument(
        "--steps",
        type=int,
        help="denoising steps per window of a masked diffusion model (default: 128, at most one per base)",
    )
    parser.add_argument("--tag", help="tag to draw sequences of, for models pretrained with tags")
    parser.add_argument(
        "--guidance", type=float, default=0.0, help="classifier-free guidance towards --tag (default: 0, none)"
    )
    parser.add_argument("--text", help="text that stands before the bases, for models pretrained with pairs")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    parser.add_argument("--keep-prompt", action="store_true", help="write the prompt before what was drawn")
    gate = parser.add_argument_group("gate", "what may be written: a screen, or the reason for having none")
    gate.add_argument("--hazard", type=Path, nargs="+", default=[], metavar="FASTA", help="nucleotides to look for")
    gate.add_argument(
        "--hazard-protein", type=Path, nargs="+", default=[], metavar="FASTA", help="proteins to look for"
    )
    gate.add_argument(
        "--window",
        type=int,
        nargs="+",
        default=list(WINDOWS),
        metavar="BASES",
        help="further windows beside 50 and 200",
    )
    gate.add_argument(
        "--screen-command",
        metavar="COMMAND",
        help="a further screen: reads FASTA on its standard input and prints the names that must not be written",
    )
    gate.add_argument(
        "--unscreened", metavar="REASON", help="write without a screen; the reason is written into log and record"
    )
    parser.add_argument("--verify", action="store_true", help="draw nothing: verify the log of --output")
    parser.add_argument("--family", help="family, if config.json does not say it")
    parser.add_argument("--dtype", help="type of the weights (default: float32)")
    parser.add_argument("--batch", type=int, default=8, help="sequences at a time (default: 8)")
    parser.set_defaults(run=run_generate)


def run_generate(arguments: argparse.Namespace) -> int:
    """Draw what the arguments ask for; return the exit code: 2 where everything was blocked."""
    from glmflow.screening.gate import GateSettings
    from glmflow.training.drawn_sequences import verify_generation

    if arguments.verify:
        print(f"{arguments.output}: the log holds, {verify_generation(arguments.output):,} entries")
        return 0
    if arguments.model is None:
        raise InputError("no model", fix="Give --model FOLDER.")
    settings = GateSettings(
        tuple(arguments.hazard),
        tuple(arguments.hazard_protein),
        tuple(arguments.window),
        arguments.screen_command,
        arguments.unscreened,
    )
    if not settings.screens and settings.acknowledged is None:
        raise InputError(
            "the gate is not set: nothing would be screened",
            fix='Give --hazard FASTA (or --screen-command), or --unscreened "REASON", which is written into the log.',
        )
    prompts = read_prompts(arguments.prompts, arguments.prompt_bases, arguments.bed)

    import torch

    from glmflow.models import load_model
    from glmflow.models.drawing import Sampling
    from glmflow.models.loading import require_head
    from glmflow.models.model_commands import model_folder
    from glmflow.training.drawn_sequences import GenerationRequest, model_identity, of_model, run_generation

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    folder = model_folder(arguments.model)
    model = load_model(folder, arguments.family, arguments.dtype)
    require_head(model, folder, "draw from")
    identity = model_identity(folder, model)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    drawing = (arguments.temperature, arguments.top_k, arguments.top_p, arguments.seed, arguments.steps)
    sampling = Sampling(*drawing, arguments.tag, arguments.guidance, arguments.text)
    request = GenerationRequest(
        tuple(prompts), arguments.n, arguments.length, sampling, max(1, arguments.batch), arguments.keep_prompt
    )
    counts = run_generation(of_model(model, request, identity), request, settings, arguments.output)
    said = f"{counts['released']:,} of {counts['drawn']:,} sequences written, {counts['blocked']:,} blocked"
    print(f"{arguments.output}: {said}", file=sys.stderr)
    return 0 if counts["released"] else 2


def read_prompts(path: Path | None, bases: int | None, regions: Path | None = None) -> list[tuple[str, str]]:
    """Return name and bases of the prompts; one empty prompt where there is no file.

    Parameters
    ----------
    path
        FASTA: a prompt a record, or the genome that the regions are of.
    bases
        Of a prompt, its last ones; all where None.
    regions
        BED: a prompt is a region, read off its strand.

    Raises
    ------
    InputError
        A file cannot be read, two prompts have one name, or one is shorter than asked.
    """
    from glmflow.apply.embed import named_regions
    from glmflow.genome.packed import fetch
    from glmflow.genome.reference import Reference
    from glmflow.models.model_commands import read_fasta

    if path is None and regions is not None:
        raise InputError("regions of no genome", where="--bed", fix="Give the genome they are of as --prompts.")
    if path is None:
        return [("start", "")]
    if regions is None:
        found = read_fasta(path)
    else:
        rows = named_regions(path, regions)
        texts = (codes.tobytes().decode() for codes in fetch(Reference(path), rows).each())
        found = list(zip(rows["sequence"], texts))
    names = [name for name, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice:
        raise InputError(f"two prompts are called {twice}", where=path, fix="Give each its own name.")
    if bases is None:
        return found
    short = next((name for name, sequence in found if len(sequence) < bases or bases < 1), None)
    if short:
        raise InputError(f"prompt {short} has no {bases} bases", where=path, fix="Give a smaller --prompt-bases.")
    return [(name, sequence[-bases:]) for name, sequence in found]
