"""What a study's models are asked as they are, beside its tasks: variants, intervals and sequences of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Positive
from .score_names import Score

Window = Annotated[int, Field(ge=2)] | None
WINDOW = "Bases that a model sees at a time; 512, of causal models 8,192, or the model's context where left out."
EDGES = "Windows at the ends of a contig: moved inside, filled with N, or left out."
FRAMES = "Reading frames of k-mers."
LAYER = "Hidden layer that distances compare; the last where left out."
SCORES = "Scores ([docs/variants.md](../docs/variants.md#scores)); what fits each model where left out."


class Asked(Block):
    """A question to models as they are: what a command of `glmflow` answers, with the command's own defaults."""

    command: ClassVar[str]
    needs: ClassVar[str] = "likelihood"
    """What a family has to be able to do (`glmflow.models.facts`)."""
    own_genome: ClassVar[bool] = True
    """Whether `fasta` is the genome, the study's where left out."""
    named: ClassVar[tuple[str, ...]]
    """Keys that name files, beside `fasta`."""
    words: ClassVar[dict[str, str]] = {"scores": "score", "mismatches": "most_mismatches"}
    """Keys that the command calls otherwise."""

    models: Annotated[list[Label], Field(min_length=1)] | None = Field(
        None, description="Models (published, pretrained or extended); all of the study that can where left out."
    )
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        None,
        description="Type of the weights: `float32` (where left out), `bfloat16` or `float16`. The head is always float32.",
    )
    batch: Positive | None = Field(
        None, description="Sequences at a time; 8,192 tokens, on a GPU 262,144 where left out."
    )

    @property
    def suffix(self) -> str:
        """Ending of the file that is written; none for a folder."""
        return ""

    @property
    def named_files(self) -> dict[str, str]:
        """Files that the block names, by key."""
        return {key: path for key in ("fasta", *self.named) if (path := getattr(self, key))}

    @property
    def scored(self) -> list[str]:
        """Scores that are named; none where each model's own are taken."""
        return getattr(self, "scores", None) or []

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the command beside models, files and output; None and False where they are left to the command."""
        read = self.model_dump(mode="json", exclude={"models", "fasta", "write", *self.named})
        return {self.words.get(key, key): value for key, value in read.items()}

    def _one_of(self, *keys: str) -> None:
        """Refuse a block that does not have exactly one of some keys."""
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) != 1:
            names = ", ".join(f"`{key}`" for key in keys)
            raise ValueError(f"give exactly one of {names} (found {', '.join(given) or 'none'})")


class VariantScores(Asked):
    """Variants without labels, scored as by `glmflow variants`."""

    command = "variants"
    named = ("vcf", "table", "bed", "calibrate")

    vcf: str | None = Field(None, description="VCF or BCF, sorted or not, of any compression.")
    table: str | None = Field(
        None, description="Table of chrom, pos (from 1) or start (from 0), ref, alt; or sequence, offset, ref, alt."
    )
    bed: str | None = Field(None, description="Intervals: every base is changed into each of the three others.")
    fasta: str | None = Field(None, description="Genome; the study's where left out.")
    write: Literal["vcf", "parquet", "tsv"] | None = Field(
        None,
        description="Form of the output: `vcf` (of a `vcf` where left out), `parquet` (of others where left out) or `tsv`. A "
        "`table` gives no VCF.",
    )
    scores: Annotated[list[Score], Field(min_length=1)] | None = Field(None, description=SCORES)
    strands: bool = Field(False, description="Write both strands beside their mean.")
    window: Window = Field(None, description=WINDOW)
    edges: Literal["shift", "pad", "skip"] = Field("shift", description=EDGES)
    share: Positive = Field(1, description="Variants within this many bases share a reference window.")
    mnv: Literal["joint", "sum", "each_own"] = Field("joint", description="How several changed bases are masked.")
    frames: Literal["one", "all"] = Field("one", description=FRAMES)
    layer: int | None = Field(None, description=LAYER)
    calibrate: str | None = Field(
        None,
        description="Intervals that evolve neutrally (BED): adds SCORE_calibrated, less the mean of their sites with the same "
        "5-mer and alternative base.",
    )
    length_matched: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Adds SCORE_z of indels: z-score among that number of random indels of the same length."
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="Seed of neutral sites and random indels.")
    symbolic: bool = Field(False, description="Score `<DEL>` with END or SVLEN as the deletion it is.")
    strict: bool = Field(False, description="Stop where any REF is not what the genome has.")
    mismatches: Fraction = Field(
        0.05, description="Share of alleles with another REF than the genome beyond which nothing is scored."
    )

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is read of other inputs, or for what is not asked."""
        if not self.vcf:
            for key in self.changed("symbolic"):
                yield key, "only a `vcf` has symbolic alleles"
        if self.bed:
            for key in self.changed("strict", "mismatches"):
                yield key, "of a `bed` REF is read from the genome"
        if not (self.calibrate or self.length_matched):
            for key in self.changed("seed"):
                yield key, "nothing is drawn without `calibrate` or `length_matched`"

    @property
    def suffix(self) -> str:
        """Ending of the file that is written."""
        return {"vcf": ".vcf.gz", "tsv": ".tsv"}.get(self.write or ("vcf" if self.vcf else ""), ".parquet")

    @model_validator(mode="after")
    def _given(self) -> VariantScores:
        self._one_of("vcf", "table", "bed")
        if self.table and self.write == "vcf":
            raise ValueError("write: a `table` gives a table: parquet or tsv")
        return self


class Mutagenesis(Asked):
    """Every base of some intervals changed into the three others, as by `glmflow mutagenesis`."""

    command = "mutagenesis"
    named = ("bed", "genes")

    bed: str | None = Field(None, description="Intervals (BED, peaks); those that overlap or touch are one.")
    around: Positive | None = Field(
        None, description="Bases on both sides of the start of every gene of `genes`, in place of `bed`."
    )
    genes: str | None = Field(None, description="Genes (GTF): their exons are drawn below the pictures.")
    fasta: str | None = Field(None, description="Genome; the study's where left out.")
    scores: Annotated[list[Score], Field(min_length=1)] | None = Field(None, description=SCORES)
    window: Window = Field(None, description=WINDOW)
    edges: Literal["shift", "pad", "skip"] = Field("shift", description=EDGES)
    frames: Literal["one", "all"] = Field("one", description=FRAMES)
    layer: int | None = Field(None, description=LAYER)
    pictures: Annotated[int, Field(ge=0)] = Field(20, description="Intervals that are drawn.")
    bedgraph: bool = Field(False, description="Write each track as bedGraph as well.")

    @model_validator(mode="after")
    def _given(self) -> Mutagenesis:
        self._one_of("bed", "around")
        if self.around and not self.genes:
            raise ValueError("around: name the `genes`")
        return self


class DependencyMaps(Asked):
    """Which bases of each sequence the predictions of the others depend on, as by `glmflow dependencies`."""

    command = "dependencies"
    needs = "base_probabilities"
    own_genome = False
    named = ("table", "marks")

    fasta: str | None = Field(None, description="Sequences.")
    table: str | None = Field(None, description="Table of sequences: columns id (or name) and sequence.")
    eps: Annotated[float, Field(gt=0, lt=0.25)] = Field(1e-4, description="Pseudo-probability added to each base.")
    measure: Literal["odds", "logp"] = Field("odds", description="Effects on log2 odds, or on log2 probabilities.")
    symmetric: Literal["none", "mean", "max"] = Field("none", description="How the two directions are combined.")
    strands: Literal["forward", "both"] = Field("forward", description="Strands that masked models read.")
    frames: Literal["one", "all"] = Field("one", description=FRAMES)
    context: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Bases at both ends of each sequence that are read but not changed; a sequence longer than the model's "
        "context is cut into tiles that see that number of bases around them (0: such a sequence is refused).",
    )
    keep: Annotated[int, Field(ge=0)] = Field(200, description="Maps that are written whole.")
    pictures: Annotated[int, Field(ge=0)] = Field(20, description="Maps that are drawn.")
    block_mean: Positive | None = Field(None, description="Write maps as means over N x N bases as well.")
    marks: str | None = Field(
        None, description="Stretches to mark: table of id, start, end, name; or .gff, .gff3, .gtf."
    )
    zoom: Annotated[str, Field(pattern=r"^\d+-\d+$")] | None = Field(
        None, description="Bases to draw in a panel of their own, `START-END` from 0."
    )

    @model_validator(mode="after")
    def _given(self) -> DependencyMaps:
        self._one_of("fasta", "table")
        return self
