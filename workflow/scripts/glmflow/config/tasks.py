"""What is predicted from what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Positive


class Windows(Block):
    """Overlapping windows along the reference; the last one ends flush with its contig."""

    size: Positive = Field(32_768, description="Window length in bp.")
    overlap: Annotated[int, Field(ge=0)] = Field(16_384, description="Bases shared by neighbouring windows.")
    max_n_fraction: Fraction = Field(0.1, description="Windows with a larger share of N are left out (and counted).")

    @model_validator(mode="after")
    def _step(self) -> Windows:
        if self.overlap >= self.size:
            raise ValueError(
                f"overlap {self.overlap} is not smaller than size {self.size}: no window would ever advance; use half the size"
            )
        return self


class Scaling(Block):
    """Targets are divided by the track's mean over non-zero training bases, squashed and soft-clipped."""

    squash: bool = Field(True, description="Raise to the power 0.75 (RNA-seq).")
    soft_clip: Annotated[float, Field(gt=0)] = Field(10.0, description="Values above grow as a square root.")


class TrackHaplotypes(Block):
    """Training windows as people have them; validation and test are the reference's."""

    share: Fraction = Field(
        0.5, description="Share of the training windows that are a haplotype of a person drawn anew."
    )
    variants: Literal["all", "snv"] = Field("all", description="`snv` keeps every coordinate of the reference.")
    inserted: Literal["masked", "repeat5p"] = Field(
        "masked",
        description="Inserted bases take no part in the loss, or repeat the value of the base before them (5').",
    )


class RnaseqTracks(Block):
    """Per-base coverage from windows of sequence."""

    kind: Literal["rnaseq_tracks"]
    windows: Windows = Field(default_factory=Windows, description="Windows along the reference.")
    tracks: list[Label] | None = Field(None, description="Tracks to predict together; all where left out.")
    scaling: Scaling = Field(default_factory=Scaling, description="Scaling of the targets.")
    haplotypes: TrackHaplotypes | None = Field(
        None, description="Learn from haplotypes of the cohort's people too, the labels carried along; needs people."
    )
    loss: Literal["mse", "poisson", "tweedie", "poisson_multinomial"] = Field(
        "mse", description="Training loss on scaled targets."
    )
    tweedie_power: Annotated[float, Field(gt=1, lt=2)] = Field(1.2, description="Power of the Tweedie loss.")
    trim: Annotated[int, Field(ge=0)] = Field(100, description="Bases at each end of a window that are not scored.")
    bootstrap: Positive = Field(200, description="Bootstrap draws behind each interval.")

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    @model_validator(mode="after")
    def _trim(self) -> RnaseqTracks:
        if 2 * self.trim > self.windows.overlap:
            raise ValueError(
                f"trim {self.trim} at both ends is more than the overlap {self.windows.overlap}: bases between windows "
                "would never be scored; lower trim or raise the overlap"
            )
        return self


class TssWindows(Block):
    """One window a gene, its transcription start site (TSS) in the middle on the reference, read along the gene.
    Haplotypes are read from the window's first base to the right, up to its length: a person's indels left of the TSS
    move it in the sequence.
    """

    size: Positive = Field(32_768, description="Window length in bp.")
    max_n_fraction: Fraction = Field(0.1, description="Genes whose window has a larger share of N are left out.")


class Preprocessing(Block):
    """From the matrix as it was measured to the target; whatever is fitted is fitted on training people."""

    tpm: bool = Field(False, description="First make every person's values sum to a million (RPKM to TPM).")
    max_zero_fraction: Fraction = Field(0.5, description="Genes that are 0 in a larger share of people are left out.")
    log: bool = Field(
        True, description="Natural logarithm of value + pseudo_count; not for values that are logs already."
    )
    pseudo_count: Annotated[float, Field(gt=0)] = Field(0.01, description="Added before the logarithm.")
    hidden_factors: Annotated[int, Field(ge=0)] = Field(
        0, description="Principal components of expression over people that are removed (10 is common)."
    )
    fitted_on: Literal["train", "everyone"] = Field(
        "train",
        description="Whose expression the hidden factors are fitted on; `everyone`, as published studies did, is "
        "reported as a leak.",
    )
    standardise: bool = Field(
        True, description="Mean 0 and standard deviation 1 of each gene over training people; without it, values stay."
    )


class GeneSplits(Block):
    """Which genes are never seen in training; genes whose windows overlap stay together."""

    by: Literal["random", "genome"] = Field(
        "genome", description="`genome`: the study's `splits` (contigs or blocks); `random`: a draw."
    )
    validation: Fraction = Field(0.1, description="Share of the genes for validation (random).")
    test: Fraction = Field(0.3, description="Share of the genes that are unseen (random).")
    seed: int = Field(1, description="Seed of the draw.")


class PeopleSplits(Block):
    """Which people are never seen in training; relatives stay together."""

    by: Literal["random", "population"] = Field("random", description="A draw of people, or whole populations.")
    validation: Fraction = Field(0.1, description="Share of the people for validation; with `population`, of the rest.")
    test: Fraction = Field(0.3, description="Share of the people that are unseen (random).")
    test_populations: list[str] = Field(default_factory=list, description="Populations that are unseen (population).")
    kinship: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.45,
        description="People whose estimated kinship reaches this are relatives, beside those of one `family` in the "
        "table of people: 0.45 finds the same genome twice and twins; 0.177 first-degree relatives, which takes "
        "thousands of genes (over a megabase, chance alone reaches 0.39).",
    )
    seed: int = Field(1, description="Seed of the draw.")


class Hackathon(Block):
    """The files of the StatBiomed DNA-AI hackathon: two FASTAs a person, and `partitions.csv` with targets and splits."""

    folder: str = Field(description="Folder that holds `fasta/` and `partitions.csv`.")
    target: Literal["log_TPM", "rpkm", "raw count", "log_count", "promoter activity"] = Field(
        "log_TPM", description="Column that is predicted; `promoter activity` is its task 1b."
    )
    oriented: bool = Field(
        False,
        description="Records of genes on the minus strand are read along the gene already; else along the genome.",
    )


class Snp2gex(Block):
    """Expression (or promoter activity) of genes in people from both of their haplotypes."""

    kind: Literal["snp2gex"]
    windows: TssWindows = Field(default_factory=TssWindows, description="Window around the TSS of each gene.")
    variants: Literal["all", "snv"] = Field("all", description="Variants that haplotypes carry.")
    min_maf: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        0.0,
        description="Rarest minor allele, among training people, that haplotypes carry: where it is rarer, everyone has "
        "the more frequent allele. The report sets tasks alike but for this or `variants` side by side.",
    )
    expression: str | None = Field(
        None, description="Matrix of genes and people: BED, GCT or TSV; the simulated one where left out."
    )
    hackathon: Hackathon | None = Field(
        None, description="Take sequences, targets and splits from the hackathon's own files."
    )
    preprocessing: Preprocessing = Field(default_factory=Preprocessing, description="From the matrix to the target.")
    genes: GeneSplits = Field(default_factory=GeneSplits, description="Seen and unseen genes.")
    people: PeopleSplits = Field(default_factory=PeopleSplits, description="Seen and unseen people.")
    combine: Literal["predictions", "states"] = Field(
        "predictions",
        description="What is averaged over both haplotypes: their predictions, or the states before the head.",
    )
    control: Literal["none", "permuted_people", "reference"] = Field(
        "none",
        description="`permuted_people`: training expression is shuffled between people within each gene, so that gene "
        "means alone teach; `reference`: everyone carries the reference sequence.",
    )
    bootstrap: Positive = Field(1000, description="Bootstrap draws of genes behind each interval.")
    permutations: Annotated[int, Field(ge=0)] = Field(
        200, description="Permutations of people within populations behind the null."
    )

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    @model_validator(mode="after")
    def _one_source(self) -> Snp2gex:
        if self.hackathon and self.expression:
            raise ValueError("give `expression` or `hackathon`, not both: the hackathon's files hold their own targets")
        if self.people.by == "population" and not self.people.test_populations:
            raise ValueError("people.test_populations: name the populations that are unseen")
        return self


class Recall(Block):
    """A segment at the end of a window that occurs once before."""

    segment: Annotated[int, Field(ge=16)] = Field(64, description="Bases of the repeated segment.")
    distances: Annotated[list[Positive], Field(min_length=1)] = Field(
        default_factory=lambda: [512, 1024, 2048, 4096], description="Bases from the copy to the segment."
    )
    trials: Positive = Field(24, description="Windows, each used at every distance and in every variant.")
    variants: list[Literal["exact", "mutated", "reverse_complement"]] = Field(
        default_factory=lambda: ["exact", "mutated", "reverse_complement"],
        description="The copy as it is, with substitutions, or on the other strand.",
    )
    substitutions: Fraction = Field(0.05, description="Share of the bases of a mutated copy that differ.")
    jitter: Fraction = Field(
        0.1,
        description="Distances are drawn anew for each window within this share of theirs: one fixed distance would "
        "measure the phase of single rotary pairs.",
    )


class ContextExtension(Block):
    """Loss of the same last bases as their context grows, and recall of a segment repeated at growing distances."""

    kind: Literal["context_extension"]
    contexts: Annotated[list[Positive], Field(min_length=1)] = Field(
        description="Lengths of context in bp, the model's own first; multiples of its bases a token."
    )
    bases_per_token: Positive = Field(
        1,
        description="Bases of a token where they are more than one (6 for Nucleotide Transformer and GENERator): contexts, "
        "scored bases, segment and drawn distances are its multiples, so that a copy is the same tokens.",
    )
    scored: Positive = Field(512, description="Last bases of each window whose loss is taken, at every context.")
    examples: Positive = Field(128, description="Windows of the test split.")
    repeat_k: Annotated[int, Field(ge=6, le=31)] = Field(
        16, description="A base counts as a repeat where the k bases before it occur earlier in the window."
    )
    recall: Recall = Field(default_factory=Recall, description="Recall of a repeated segment.")
    bootstrap: Positive = Field(1000, description="Bootstrap draws behind each interval.")
    seed: int = Field(1, description="Seed of the draw of windows.")

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return max(self.contexts)

    @model_validator(mode="after")
    def _fits(self) -> ContextExtension:
        if self.scored >= min(self.contexts):
            raise ValueError(f"scored {self.scored} is not below the shortest context {min(self.contexts)}")
        segment, longest = self.recall.segment, max(self.contexts) - self.recall.segment
        on_grid = {"contexts": self.contexts, "scored": [self.scored], "recall.segment": [segment]}
        for name, lengths in on_grid.items():
            if uneven := [length for length in lengths if length % self.bases_per_token]:
                raise ValueError(f"{name}: {uneven[0]} is no multiple of bases_per_token {self.bases_per_token}")
        for distance in self.recall.distances:
            if not segment <= distance <= longest:
                raise ValueError(
                    f"recall.distances: {distance} is not between the segment ({segment}) and the longest context less "
                    f"the segment ({longest})"
                )
        return self


Task = Annotated[RnaseqTracks | Snp2gex | ContextExtension, Field(discriminator="kind")]
