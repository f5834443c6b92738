"""Effects of variants are proposed for a table or VCF of alleles with a label or measured effect: --table or --vcf,
with --fasta.
"""

from __future__ import annotations

from glmflow.errors import InputError
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles, TableHead
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed

PUBLISHED = ("caduceus-ps-131k", "nucleotide-transformer-v2-500m", "evo2-7b-base")
LABELS = (
    "label",
    "class",
    "clnsig",
    "clinical_significance",
    "func_class",
    "func.class",
    "pathogenic",
    "effect",
    "score",
    "function_score",
)
POSITIVE = {"1", "true", "yes", "pathogenic", "lof", "loss_of_function", "causal", "damaging", "deleterious"}
NEGATIVE = {"0", "false", "no", "benign", "func", "neutral", "control", "tolerated", "common", "functional"}
CARRIED = {
    "consequence": ("consequence", "csq"),
    "group": ("group", "gene", "gene_id"),
    "match_group": ("match_group",),
}
WHOLE, SHORT = (512, 1200), (128, 600)
"""Bases of a window and updates of pretraining, with a GPU and without."""
CLINVAR = {"Pathogenic": 1, "Likely_pathogenic": 1, "Benign": 0, "Likely_benign": 0}


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return the task for models as they are, trivial scores, and random weights as the control."""
    table = found.table
    if table is not None and table.column("ref") and table.column("alt"):
        source, guesses, columns = _of_table(table)
    elif found.vcf and not found.samples and "CLNSIG" in found.info_fields:
        source = {"vcf": found.vcf[0], "label": "CLNSIG", "labels": dict(CLINVAR)}
        guesses, columns = ["INFO CLNSIG is the label: (likely) pathogenic against (likely) benign"], {}
    else:
        return None
    found.genome_for("a table of variants")
    window, steps = WHOLE if machine.gpu else SHORT
    why = f": a first look, short because there is no GPU (`--gpu l40` proposes {WHOLE[0]} bp and {WHOLE[1]:,} updates)"
    guesses.append(f"windows of {window} bp, {steps:,} updates of pretraining" + ("" if machine.gpu else why))
    task = {"kind": "variant_effects", **source, "window": window}
    names = ["no_effect", "transition_first", "cpg_transition", "gc_around"]
    names += ["consequence_rank"] if "consequence" in columns else []
    names += ["distance_to_start"] if found.genes_here else []
    simple = baselines(*names, context_rate={"kind": "context_rate", "k": 5})
    pretrain = {"length": window, "steps": steps, "batch": 64, "learning_rate": 3.0e-3}
    config = {"causal": False, "context": window}
    models = listed(*PUBLISHED)
    settings = {
        "tasks": {"variants": task},
        "models": {"small": {"pretrain": {"family": "small", "config": config, **pretrain}}, **simple, **models},
        "adaptations": {
            "zero_shot": {"kind": "zero-shot"},
            "random_weights": {"kind": "zero-shot", "weights": "random"},
        }
        | BASELINE,
        "runs": [
            {"tasks": ["variants"], "models": ["small"], "adaptations": ["zero_shot", "random_weights"]},
            {"tasks": ["variants"], "models": list(simple), "adaptations": ["baseline"]},
            {"tasks": ["variants"], "models": list(models), "adaptations": ["zero_shot", "random_weights"]},
        ],
    }
    comments = {
        ("tasks", "variants", "window"): "Bases that a model sees around a variant.",
        (
            "models",
            "small",
        ): "Pretrained here on the training contigs; published models stand beside it where a GPU holds them.",
        ("models", "no_effect"): "Trivial scores: what needs no model.",
        ("adaptations", "random_weights"): "Control: the same network without its pretraining.",
    }
    return Draft(settings, comments, guesses, list(models))


def _of_table(table: TableHead) -> tuple[dict, list[str], dict[str, str]]:
    """Return the source of a table of alleles, what was guessed, and the columns that are carried along."""
    for names in (("chrom", "chr", "chromosome"), ("pos", "position", "start")):
        if table.column(*names) is None:
            raise InputError(
                f"no column {names[0]!r}: the header has {', '.join(table.header)}",
                where=table.path,
                fix="Give chrom, pos, ref, alt and a label or effect.",
            )
    effects = [name for name in table.header if name.lower().startswith("effect")]
    label = table.column(*LABELS) or (effects[0] if len(effects) == 1 else None)
    if label is None:
        raise InputError(
            f"no column of labels: the header has {', '.join(table.header)}",
            where=table.path,
            fix="Name it `label` (1 and 0) or `effect` (a measured number).",
        )
    carried = {role: table.column(*usual) for role, usual in CARRIED.items()}
    columns = {role: name for role, name in carried.items() if name}
    source: dict = {"table": table.path, "label": label, **({"columns": columns} if columns else {})}
    if table.column("pos", "position") is None:
        source["positions"] = "zero"
    values = sorted(set(table.columns[label]))
    meant = {value: _meaning(value) for value in values if value}
    if {0, 1} <= set(meant.values()) and len(values) < 20:
        source["labels"] = meant
        left_out = [value for value, meaning in meant.items() if meaning is None]
        text = f"column {label!r}: {', '.join(v for v, m in meant.items() if m == 1)} has to be found, "
        text += f"{', '.join(v for v, m in meant.items() if m == 0)} not"
        return source, [text + (f"; left out: {', '.join(left_out)}" if left_out else "")], columns
    try:
        [float(value) for value in values if value not in ("", "NA", "nan", "NaN")]
    except ValueError:
        raise InputError(
            f"column {label!r} is neither two known classes nor a number: {', '.join(values[:4])}",
            where=table.path,
            fix="Write 1 and 0, or pathogenic and benign.",
        ) from None
    source["direction"] = "magnitude"
    return (
        source,
        [f"column {label!r} is a measured effect, compared by its size (`direction: signed` keeps the sign)"],
        columns,
    )


def _meaning(value: str) -> int | None:
    """Return what a label means: 1, 0, or None where it is not known."""
    plain = value.strip().lower()
    plain = plain.removeprefix("likely_").removeprefix("likely ").removesuffix(".0")
    return 1 if plain in POSITIVE else 0 if plain in NEGATIVE else None
