"""Kind `variant_effects`: what models say of labelled or measured alleles, without training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ..adaptations import Adaptation
from ..allele_sets import with_preset
from ..allele_sources import Browser, Carried, Pictures, Truth
from ..base import Fraction, Label, Place, Positive
from ..blocks import TRAINED
from ..score_names import Score
from ..table_sizes import rows_of
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView

Windows = Annotated[
    list[Annotated[int, Field(ge=8)]],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, int) else value),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]}),
]
CARRIED = ("consequence", "group", "match_group", "element", "exon", "unit", "frequency")
"""What columns of a source are here where they are named; any other name is carried along for baselines."""


class VariantEffects(TaskBlock):
    """Labelled or measured alleles that models are asked about as they are."""

    kind: Literal["variant_effects"]
    input = "allele_pairs"
    target = "allele_effect"
    adaptations = frozenset({"zero-shot", "baseline"})
    refused = dict.fromkeys(TRAINED, "alleles are scored by models as they are; `ceiling` says what labels could add")
    needs = frozenset({"likelihood"})
    genome = False
    scoring = frozenset({"bootstrap", "least", "sign", "direction", "shown", "browser", "pictures"})
    asking = frozenset(
        {
            "scores",
            "window",
            "edges",
            "share",
            "mnv",
            "frames",
            "layer",
            "calibrate",
            "length_matched",
            "ceiling",
            "seed",
        }
    )
    page = "variants"

    table: str | None = Field(
        None, description="Table (TSV, CSV, parquet) of chrom, pos, ref, alt and a label or effect."
    )
    vcf: str | None = Field(None, description="VCF whose INFO has the label.")
    truth: Truth | None = Field(None, description="Changes of simulated motifs (needs `simulate.cohort`).")
    carried: Carried | None = Field(
        None,
        description="Variants that the study's cohort carries near genes, with effects that runs of this study predict.",
    )
    preset: str | None = Field(
        None,
        description="Name of a published set (`clinvar`, `traitgym/mendelian_traits`, `traitgym/complex_traits`, "
        "`lrb/variant_effect_causal_eqtl`, `lrb/variant_effect_pathogenic`, `dart_eval/african_caqtl`, "
        "`dart_eval/yoruban_dsqtl`, `dnalongbench/eqtl`): label, columns and sign of its file.",
    )
    label: str | None = Field(None, description="Column, or INFO field, of the label or of the measured effect.")
    labels: dict[str, Literal[0, 1] | None] | None = Field(
        None,
        description="What values of the label mean: 1 (what a score has to find), 0, or null (left out); `*` is any other. "
        "Without it the label is a number: a measured effect.",
    )
    direction: Literal["loss", "magnitude", "signed"] | None = Field(
        None,
        description="How a measured effect is compared: lower first (`loss`: of function, of fitness), its size "
        "(`magnitude`), or higher first (`signed`).",
    )
    sign: Literal["minus", "plus", "magnitude"] = Field(
        "minus",
        description="How a log-likelihood ratio is read: `minus`, what a model dislikes matters (pathogenic alleles); "
        "`magnitude`, its size (which allele is derived is not known); `plus`. Never chosen by the data. Distances, which "
        "have no sign, are read as they are.",
    )
    columns: dict[Label, str] = Field(
        default_factory=dict,
        description=f"Other columns (INFO fields) by what they are here: {', '.join(CARRIED)}, or any name for a baseline; of a "
        "table also chrom, pos (or start), ref and alt, where they have unusual names.",
    )
    only: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Values that one of `columns` has in the alleles that are read; others are left out.",
    )
    ref: Literal["column", "genome", "either"] = Field(
        "column",
        description="Where REF stands: in the table, or (sets of single bases without it) in the genome; `either`: labelled "
        "alleles of a table that does not say which of the two is REF, which the genome does.",
    )
    positions: Literal["vcf", "zero"] = Field(
        "vcf", description="`pos` of a table counts from 1, or from 0 (as `start`)."
    )
    at_least: dict[str, float] = Field(
        default_factory=dict, description="Smallest number in a column that a variant is kept with (`barcodes: 10`)."
    )
    mismatches: Fraction = Field(
        0.05, description="Largest share of alleles whose REF is not the genome's; beyond it nothing is computed."
    )
    scores: list[Score] | None = Field(
        None,
        min_length=1,
        description="Scores, the first that a model has is the one compared (of insertions and deletions `ll_flank` or "
        "`flank`, where they are among them); by default what fits the model (docs/variants.md).",
    )
    window: Windows | None = Field(
        None,
        description="Bases that a model sees, or a list: the first is compared, the others are shown beside it. By default "
        "512, causal models 8192, or the model's context.",
    )
    edges: Literal["shift", "pad", "skip"] = Field(
        "shift", description="What happens where a window leaves its contig."
    )
    share: Positive = Field(1, description="Alleles within this many bases share one reference window.")
    mnv: Literal["joint", "sum", "each_own"] = Field("joint", description="How several changed bases are masked.")
    frames: Literal["one", "all"] = Field("one", description="Frames of k-mers that are read.")
    layer: int | None = Field(None, description="Layer that distances of states are taken of; the last by default.")
    calibrate: str | None = Field(
        None, description="Neutral regions, BED: scores less those of sites with the same 5-mer."
    )
    length_matched: Positive | None = Field(None, description="Random indels that each indel is compared with.")
    ceiling: bool = Field(
        False,
        description="Fit the labels on distances of states per channel, one chromosome (else gene, exon, "
        "group) left out at a time: the "
        "supervised ceiling beside the zero-shot score.",
    )
    seed: int = Field(1, description="Seed of neutral sites and random indels.")
    least: Positive = Field(10, description="Variants of each class that a subset needs to be scored.")
    bootstrap: Positive = Field(1000, description="Bootstrap draws behind each interval.")
    shown: Positive = Field(20, description="Variants listed that a model is most wrong about.")
    pictures: Pictures | None = Field(
        None, description="In-silico mutagenesis and dependency maps, drawn for each model as it is."
    )
    browser: Browser | None = Field(None, description="Genome browser that variants are linked to.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield how positions are counted where no table has any."""
        if not self.table:
            for key in self.changed("positions"):
                yield key, "it is read of a `table`; a VCF counts from 1"

    @property
    def measured(self) -> bool:
        """Whether its targets are measured effects; else they are labels, 1 or 0."""
        return not self.truth and self.labels is None

    @property
    def uncontrolled(self) -> dict[str, Any] | None:
        """Settings of the task that this one is a control of; None where it is no control."""
        if not (self.truth and self.truth.shifted):
            return None
        own = self.model_dump(mode="json")
        return own | {"truth": own["truth"] | {"shifted": False}}

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that a model is asked about; 0 where the model's own default is taken."""
        return max(self.window or [0])

    @property
    def compared_bp(self) -> int:
        """Bases around an allele that are compared with training: its window, or those of most models."""
        return self.window_bp or 512

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("window",)

    @model_validator(mode="before")
    @classmethod
    def _of_preset(cls, given: Any) -> Any:
        return with_preset(given) if isinstance(given, dict) and given.get("preset") else given

    @model_validator(mode="after")
    def _one_source(self) -> VariantEffects:
        given = [name for name in ("table", "vcf", "truth", "carried") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"give one of `table`, `vcf`, `truth` and `carried` (found {found})")
        if (self.table or self.vcf) and not self.label:
            raise ValueError("label: name the column (INFO field) of the label or measured effect")
        for key in () if self.table or self.vcf else ("label", "labels", "columns", "at_least", "only"):
            if getattr(self, key):
                raise ValueError(f"{key}: is read of tables and VCFs; leave it out beside `{given[0]}`")
        if self.vcf and self.at_least:
            raise ValueError("at_least: is read of tables; filter the VCF (bcftools view -i)")
        if self.vcf and self.ref != "column":
            raise ValueError("ref: a VCF has its own; leave it out")
        if self.ref == "either" and self.measured:
            raise ValueError("ref: either is for `labels`; an effect has the direction of the table's own REF")
        browsed = (self.browser and self.browser.columns) or {}
        for key, names in (("only", self.only), ("browser.columns", browsed.values())):
            unknown = [name for name in names if name not in self.columns]
            if unknown:
                has = ", ".join(self.columns) or "none"
                raise ValueError(f"{key}: {unknown[0]!r} is none of `columns` ({has}); name it there")
        if browsed and set(browsed) != {"chrom", "pos"}:
            raise ValueError("browser.columns: name both `chrom` and `pos`")
        if self.labels is not None and not {0, 1} <= set(self.labels.values()):
            raise ValueError("labels: name values for 1 and for 0")
        if self.measured and self.ceiling:
            raise ValueError("ceiling: is fitted to labels, not to measured effects")
        return self

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        named = {("table",): self.table, ("vcf",): self.vcf, ("calibrate",): self.calibrate}
        return {key: path for key, path in named.items() if path}

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        fasta = f"{study.results}/reference/genome.fa"
        genome: Files = {"fasta": fasta, "index": f"{fasta}.fai"}
        match step:
            case "examples":
                told = self.truth or (self.carried and self.carried.target == "truth")
                truth = f"{study.results}/simulated/truth" if told else []
                runs = list(self.carried.effects.values()) if self.carried else []
                folders = [f"{one.folder(study.results)}/predicted" for one in runs]
                trained = [
                    f"{study.results}/examples/{name}.parquet" for name in dict.fromkeys(one.task for one in runs)
                ]
                made = {"truth": truth, "effects": folders, "trained": trained}
                return genome | {"variants": self.table or self.vcf or []} | made
            case "predict":
                return genome | {"neutral": self.calibrate or []}
            case "pictures" if self.pictures and run:
                adaptation = study.adaptations[run.adaptation]
                return genome if adaptation.kind == "zero-shot" and adaptation.weights == "given" else {}
            case "baseline":
                block = study.models[run.model].baseline if run else None
                genes = study.data.reference and study.data.reference.annotation
                return genome | {
                    "genes": f"{study.results}/reference/genes.tsv" if genes else [],
                    "track": getattr(block, "track", None) or [],
                }
        return {}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Check that there is a genome, and what baselines read."""
        if study.data.reference is None:
            yield (), "alleles need the genome that they lie on: give `reference.fasta`"
            return
        if self.truth and not (study.simulate and study.simulate.cohort):
            yield ("truth",), "only a simulation from nothing knows its motifs: give `simulate.cohort`, or a table"
        elif self.truth:
            made = study.simulate.cohort.contigs
            for position, name in enumerate(self.truth.contigs):
                if name not in made:
                    yield (
                        ("truth", "contigs", position),
                        f"contig {name!r} is not simulated; use one of {', '.join(made)}",
                    )
        # Only scores depend on it: jobs before them do not get it, so that it is asked for here.
        if self.measured and self.direction is None:
            words = "say how the measured effect is compared (loss, magnitude, signed), or give `labels`"
            yield ("direction",), words
        if not self.measured and self.direction is not None:
            yield ("direction",), "only measured effects have one; labels are 1 or 0"
        has = {*self.columns, "element"} | ({"consequence", "match_group", "motif"} if self.truth else set())
        if self.carried:
            has |= {*self.carried.effects, "frequency", "group"}
            yield from self.carried.problems(study, label)
        for run in study.runs_of(label):
            block = study.models[run.model].baseline
            if block is None:
                continue
            column = getattr(block, "reads", None) or getattr(block, "column", None)
            if column and column not in has:
                known = ", ".join(sorted(has)) or "none"
                yield (
                    ("columns",),
                    f"baseline {run.model!r} reads {column!r}, which is no column here; there are {known}: name it, or leave "
                    "the baseline out of `runs`",
                )
            if getattr(block, "annotation", False) and not study.data.reference.annotation:
                yield ("columns",), f"baseline {run.model!r} needs genes: give `reference.annotation`"

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return the passes a model is asked for, both strands; the numbers of a masked model, twice those of a causal one."""
        path = self.table or self.vcf
        alleles = rows_of(path) if path and Path(path).is_file() and not path.endswith(".parquet") else None
        if self.truth:
            alleles = self.truth.sites * (1 + self.truth.controls)
        windows = self.window or [512]
        asked = tuple((window, 2 * alleles) for window in windows) if alleles else ()
        return Work(length=max(windows), window=max(windows), asked=asked)
