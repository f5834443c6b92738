"""Kind `snp2gex`: expression (or promoter activity) of genes in samples, from both of their haplotypes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Place, Positive
from ..data import Cohort, Data, Reference
from ..table_sizes import genes_and_samples
from ..task_block import ControlledTask, Files, Work
from ..views import Run, StudyView


class TssWindows(Block):
    """One window a gene, its transcription start site (TSS) in the middle on the reference, read along the gene.
    Haplotypes are read from the window's first base to the right, up to its length: a sample's indels left of the TSS
    move it in the sequence.
    """

    size: Positive = Field(32_768, description="Window length in bp.")
    max_n_fraction: Fraction = Field(0.1, description="Genes whose window has a larger share of N are left out.")


class Preprocessing(Block):
    """From the matrix as it was measured to the target; whatever is fitted is fitted on training samples."""

    tpm: bool = Field(False, description="First make every sample's values sum to a million (RPKM to TPM).")
    max_zero_fraction: Fraction = Field(0.5, description="Genes that are 0 in a larger share of samples are left out.")
    log: bool = Field(
        True, description="Natural logarithm of value + pseudo_count; not for values that are logs already."
    )
    pseudo_count: Annotated[float, Field(gt=0)] = Field(0.01, description="Added before the logarithm.")
    hidden_factors: Annotated[int, Field(ge=0)] = Field(
        0, description="Principal components of expression over samples that are removed (10 is common)."
    )
    fitted_on: Literal["train", "everyone"] = Field(
        "train",
        description="Whose expression the hidden factors are fitted on; `everyone`, as published studies did, is "
        "reported as a leak.",
    )
    standardise: bool = Field(
        True, description="Mean 0 and standard deviation 1 of each gene over training samples; without it, values stay."
    )

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is said of a step that is not taken."""
        if not self.log:
            for key in self.changed("pseudo_count"):
                yield key, "no logarithm is taken"
        if not self.hidden_factors:
            for key in self.changed("fitted_on"):
                yield key, "no hidden factors are removed"


class GeneSplits(Block):
    """Which genes are never seen in training; genes whose windows overlap stay together."""

    by: Literal["random", "homology", "genome"] = Field(
        "genome",
        description="`genome`: the study's `splits`; `random`: a draw; `homology`: a draw in which genes whose windows share "
        "near copies (canonical k-mers, both strands) stay together as well.",
    )
    validation: Fraction = Field(0.1, description="Share of the genes for validation (random).")
    test: Fraction = Field(0.3, description="Share of the genes that are unseen (random).")
    seed: int = Field(1, description="Seed of the draw.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is said of a draw where the study's splits say which genes are unseen."""
        if self.by == "genome":
            for key in self.changed("validation", "test", "seed"):
                yield key, "by: genome takes the study's `splits`"


class PeopleSplits(Block):
    """Which samples are never seen in training; relatives stay together."""

    by: Literal["random", "population"] = Field("random", description="A draw of samples, or whole populations.")
    validation: Fraction = Field(
        0.1, description="Share of the samples for validation; with `population`, of the rest."
    )
    test: Fraction = Field(0.3, description="Share of the samples that are unseen (random).")
    test_populations: list[str] = Field(default_factory=list, description="Populations that are unseen (population).")
    kinship: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.45,
        description="Samples whose estimated kinship reaches this are relatives, beside those of one `family` in the "
        "table of samples: 0.45 finds the same genome twice and twins; 0.177 first-degree relatives, which takes "
        "thousands of genes (over a megabase, chance alone reaches 0.39).",
    )
    seed: int = Field(1, description="Seed of the draw.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what the other way of holding samples out reads."""
        for key in self.changed("test" if self.by == "population" else "test_populations"):
            yield key, f"`by: {self.by}` does not read it"


class Hackathon(Block):
    """The files of the StatBiomed DNA-AI hackathon: two FASTAs a sample, and `partitions.csv` with targets and splits."""

    folder: str = Field(description="Folder that holds `fasta/` and `partitions.csv`.")
    target: Literal["log_TPM", "rpkm", "raw count", "log_count", "promoter activity"] = Field(
        "log_TPM", description="Column that is predicted; `promoter activity` is its task 1b."
    )
    oriented: bool = Field(
        False,
        description="Records of genes on the minus strand are read along the gene already; else along the genome.",
    )


READ_BESIDE_FILES = {"windows": {"size"}, "people": {"validation", "kinship", "seed"}, "preprocessing": {}, "genes": {}}
"""Settings of these blocks that count beside the hackathon's files, which hold splits and finished targets."""

SEQUENCES_OF_A_GENE = 64
"""Distinct haplotypes of a gene in a batch of all samples: what a few kb have in some hundred samples."""
BASES_AT_ONCE = 512_000
"""Bases of haplotypes in one pass without gradients, at most."""
VARIANT_BP = 300
"""Bases between two variants that are common enough for their effects to be predicted."""


class Snp2gex(ControlledTask):
    """Expression (or promoter activity) of genes in samples, from both of their haplotypes."""

    kind: Literal["snp2gex"]
    input = "gene_haplotypes"
    target = "expression"
    refused = {
        # A likelihood says that a haplotype is unusual, not whether its gene is expressed more or less.
        "zero-shot": "expression cannot be read off a language model without a trained head; a `probe` trains nothing else"
    }
    options = frozenset({"train.reverse_complement", "personal.people", "personal.shift"})
    frozen_options = frozenset({"personal.people"})
    scoring = frozenset({"bootstrap", "permutations"})
    writes = {"expression": ".parquet", "variants": ".vcf.gz"}
    page = "personal"
    exports = True

    windows: TssWindows = Field(default_factory=TssWindows, description="Window around the TSS of each gene.")
    variants: Literal["all", "snv"] = Field("all", description="Variants that haplotypes carry.")
    min_maf: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        0.0,
        description="Rarest minor allele, among training samples, that haplotypes carry: where it is rarer, everyone has "
        "the more frequent allele. The report sets tasks alike but for this or `variants` side by side.",
    )
    expression: str | None = Field(
        None, description="Matrix of genes and samples: BED, GCT or TSV; the simulated one where left out."
    )
    hackathon: Hackathon | None = Field(
        None, description="Take sequences, targets and splits from the hackathon's own files."
    )
    preprocessing: Preprocessing = Field(default_factory=Preprocessing, description="From the matrix to the target.")
    genes: GeneSplits = Field(default_factory=GeneSplits, description="Seen and unseen genes.")
    people: PeopleSplits = Field(default_factory=PeopleSplits, description="Seen and unseen samples.")
    combine: Literal["predictions", "states"] = Field(
        "predictions",
        description="What is averaged over both haplotypes: their predictions, or the states before the head.",
    )
    control: Literal["none", "permuted_people", "reference"] = Field(
        "none",
        description="`permuted_people`: training expression is shuffled between samples within each gene, so that gene "
        "means alone teach; `reference`: everyone carries the reference sequence.",
    )
    bootstrap: Positive = Field(1000, description="Bootstrap draws of genes behind each interval.")
    permutations: Annotated[int, Field(ge=0)] = Field(
        2000, description="Permutations of samples within populations behind the null."
    )

    @property
    def control_draws(self) -> int:
        """How often a control is drawn where `runs` names no seeds: one permutation is one draw of chance."""
        return 10 if self.control == "permuted_people" else 1

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    @property
    def inside_bp(self) -> float:
        """Bases of a window that have to lie on a contig: windows may reach past its end by their share of N."""
        return self.windows.size * (1 - self.windows.max_n_fraction)

    @model_validator(mode="after")
    def _one_source(self) -> Snp2gex:
        if self.hackathon and self.expression:
            raise ValueError("give `expression` or `hackathon`, not both: the hackathon's files hold their own targets")
        if self.people.by == "population" and not self.people.test_populations:
            raise ValueError("people.test_populations: name the populations that are unseen")
        return self

    def matrix(self, study: StudyView) -> str | None:
        """Return the expression matrix; the simulated one where none is given."""
        return self.expression or (f"{study.results}/simulated/expression.tsv" if study.simulate else None)

    def truth(self, study: StudyView) -> str | list[str]:
        """Return the folder with the truth behind a simulated matrix; nothing where expression was measured."""
        return f"{study.results}/simulated/truth" if study.simulate and not self.expression else []

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name, by key below the task."""
        named: dict[Place, str] = {("expression",): self.expression} if self.expression else {}
        if self.hackathon:
            folder = self.hackathon.folder
            named |= {("hackathon", "folder", name): f"{folder}/{name}" for name in ("partitions.csv", "fasta")}
        return named

    def own_data(self, study: StudyView) -> Data | None:
        """Return the genome and the cohort that are made from the hackathon's files."""
        if not self.hackathon:
            return None
        folder = f"{study.results}/own_data"
        made = Reference(fasta=f"{folder}/genome.fa", annotation=f"{folder}/genes.gtf")
        return Data(made, Cohort(vcf=[f"{folder}/cohort.vcf.gz"]), study.tracks)

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        reference = f"{study.results}/reference"
        cohort: Files = {
            "fasta": f"{reference}/genome.fa",
            "index": f"{reference}/genome.fa.fai",
            "store": f"{study.results}/cohort/store",
        }
        genes: Files = {"genes": f"{reference}/genes.tsv"}
        tables: Files = {"tables": f"{study.results}/examples/{label}"}
        match step:
            case "own_data" if self.hackathon:
                return {"folder": self.hackathon.folder, "partitions": f"{self.hackathon.folder}/partitions.csv"}
            case "examples" if self.hackathon:
                return cohort | genes | {"partitions": f"{self.hackathon.folder}/partitions.csv"}
            case "examples":
                samples = study.data.cohort.samples or []
                return (
                    cohort
                    | genes
                    | {"samples": samples, "expression": self.matrix(study) or [], "truth": self.truth(study)}
                )
            case "train" | "predict":
                return cohort
            case "export":
                return cohort | genes
            case "baseline":
                return cohort | tables
            case "score":
                return tables | {"truth": self.truth(study), "elastic_net": self._elastic_net(study, label, run)}
            case "apply":
                examples = f"{study.results}/examples/{label}.parquet"
                return tables | ({"cohort": [f"{study.results}/cohort/store", examples]} if self.min_maf else {})
        return {}

    def _elastic_net(self, study: StudyView, label: str, run: Run | None) -> str | list[str]:
        """Return what the elastic net of the same task predicts, unless it is the run itself."""
        baselines = {name: model.baseline for name, model in study.models.items() if model.baseline}
        nets = {name for name, baseline in baselines.items() if baseline.kind == "elastic_net"}
        nets -= {run.model} if run else set()
        found = (other for other in study.runs_of(label) if other.model in nets) if nets else iter(())
        return next((f"{other.folder(study.results)}/predicted" for other in found), [])

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Check where expression, samples and genes come from, and that the splits leave some to learn from."""
        chosen = next((task.hackathon for task in study.tasks.values() if getattr(task, "hackathon", None)), None)
        if self.hackathon:
            if chosen and self.hackathon.folder != chosen.folder:
                yield ("hackathon", "folder"), "one study reads one folder; make another study of it"
            for block, read in READ_BESIDE_FILES.items():
                for key in sorted(getattr(self, block).model_fields_set - set(read)):
                    yield (block, key), "does nothing here: the hackathon's files decide it. Leave it out"
        else:
            if self.matrix(study) is None:
                yield (), "no expression to predict: give `expression:`, `hackathon:` or `simulate:`"
            if study.data.cohort is None:
                yield (), "no cohort: give `cohort:` with a VCF, `hackathon:` or `simulate:`"
            if study.data.reference is not None and study.data.reference.annotation is None:
                yield (), "no genes: give `reference.annotation`, a GTF"
        drawn = []
        if self.genes.by == "random" and not self.hackathon:
            drawn.append((("genes",), self.genes.validation, self.genes.test))
        # Where files or populations say who is unseen, validation is a share of the rest.
        named = self.hackathon or self.people.by == "population"
        drawn.append((("people",), self.people.validation, 0 if named else self.people.test))
        for place, validation, test in drawn:
            if validation + test >= 1:
                shares = f"validation {validation:g} and test {test:g}" if test else f"validation {validation:g}"
                yield place, f"with {shares} none are left to train on; use shares that add up to less than 1"

    def sequences_at_once(self, adaptation: Adaptation) -> int:
        """Return how many haplotypes a pass without gradients takes: no more than a micro-batch has."""
        in_training = 2 * adaptation.train.micro_batch * (adaptation.personal.people or 8)
        return max(1, min(in_training, BASES_AT_ONCE // self.windows.size))

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how many haplotypes are computed: at most both of every sample in every gene.

        Each distinct one is computed once, training samples of seen genes are left out, and variants are few beside them.
        """
        size, people = self.windows.size, adaptation.personal.people
        known = genes_and_samples(study, self, label)
        both = adaptation.train.reverse_complement and adaptation.kind != "probe"
        return Work(
            length=size,
            window=size,
            sequences=2 * people if people else SEQUENCES_OF_A_GENE,
            predicted=known and known[0] * known[1] * 2 * (2 if both else 1),
            at_once=self.sequences_at_once(adaptation),
            # All haplotypes of a gene with their states, or its common variants.
            held=known and 2 * known[1] + size // VARIANT_BP,
            held_bytes=size,
            held_states=adaptation.head_for(self.target).bins,
        )
