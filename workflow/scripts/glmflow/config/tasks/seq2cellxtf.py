"""Kind `seq2cellxtf`: which TFs bind which regions of the genome in which cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Label, Place, Positive
from ..blocks import TRAINED
from ..data import BlockSplits, Splits
from ..task_block import ControlledTask, Files, Work
from ..views import Run, StudyView

OF_PEAKS = (
    *("without_motif", "expression_cells", "exclude_tf", "min_signal", "min_q", "blacklist", "universe", "splits"),
)
"""Keys that are read where regions and keys are made from peaks."""
Several = Annotated[int, Field(ge=0)] | list[str]


class HackathonFiles(Block):
    """The files of the DNA-AI hackathon (task 2) as they are; they bring the splits along."""

    chip: str = Field(description="`ad_chip_chromsubset.h5ad`: samples x regions.")
    rna: str = Field(description="`ad_rna_bulk.h5ad`: TPM.")
    motifs: str = Field(description="JASPAR's motifs as MEME.")
    fasta: str = Field(description="The genome, FASTA.")
    trial: str = Field(description="`config.json` of the trial: what is held out.")


class SimulatedBinding(Block):
    """Binding whose truth is known: TFs of families, cells of lineages, regions with planted sites."""

    regions: Positive = Field(3000, description="Regions that are drawn; those that no key binds leave.")
    cells: Annotated[int, Field(ge=4)] = Field(12, description="Cells, in lineages of two.")
    tfs: Annotated[int, Field(ge=8)] = Field(42, description="TFs, in families of one to four.")
    width: Annotated[int, Field(ge=60)] = Field(400, description="Bases of a region.")
    seed: int = Field(1, description="Seed of the data.")


class Universe(Block):
    """The regions of a study that are made from peaks."""

    regions: Literal["summits", "merged", "bins"] = Field(
        "summits",
        description="`summits`: windows of one width around summits; `merged`: unions of overlapping peaks, whose widths tell "
        "how many samples bind them (a reconstruction of the hackathon's); `bins`: along the genome, as ENCODE-DREAM's: bound "
        "where a peak covers half of one; what a peak only touches is ambiguous, neither learned nor scored.",
    )
    width: Positive = Field(1000, description="Bases of a window around a summit.")
    within: Positive = Field(150, description="Bases within which summits are one region, and a summit binds one.")
    made_from: Literal["all", "train"] = Field(
        "all",
        description="Keys whose peaks make regions. The hackathon's are of all keys of a trial and of no others: a region that "
        "no training key binds is then bound by a test key for sure.",
    )
    negatives: Literal["universe", "matched", "genome"] = Field(
        "universe",
        description="What is not bound by a key: regions that others bind; or as many unbound regions of the genome beside these, "
        "alike in GC and accessible in some cell (`matched`, of width and contig of each), or anywhere (`genome`).",
    )
    bed: str | None = Field(None, description="Regions that are given (BED) instead of made.")
    min_regions: Annotated[int, Field(ge=0)] = Field(
        0, description="Samples that bind this many regions or fewer are left out (500 in the hackathon)."
    )
    bin: Positive = Field(200, description="Bases of a bin.")
    step: Positive = Field(50, description="Bases between the starts of bins.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what other regions read."""
        kind = "bed" if self.bed else self.regions
        read = {"width": ("summits",), "within": ("summits",), "made_from": ("summits", "merged")}
        read |= {"bin": ("bins",), "step": ("bins",), "regions": ("summits", "merged", "bins")}
        for key in self.changed(*read):
            if kind not in read[key]:
                yield key, "`bed` gives the regions" if self.bed else f"`regions: {kind}` does not read it"


class KeySplits(Block):
    """Which keys (cell, TF) are held out: those of some cells, TFs or pairs. Each is classified by what training holds then."""

    cells: Several = Field(0, description="Cells that are held out, or how many are drawn.")
    tfs: Several = Field(0, description="TFs that are held out, or how many units of `by` are drawn.")
    families: Several = Field(0, description="Families that are held out whole beside `tfs`, or how many are drawn.")
    by: Literal["name", "family", "motif_cluster"] = Field(
        "name", description="What is held out of TFs: by name alone, a sibling of the same motif may be in training."
    )
    pairs: Fraction = Field(0.0, description="Share of the other keys that are held out as pairs.")
    validation: Fraction = Field(0.1, description="Share of the keys left that choose among models.")
    cell_groups: dict[Label, list[str]] = Field(
        default_factory=dict, description="Cells of one donor or line, held out together."
    )
    seed: int = Field(1, description="Seed of the draw.")


class Seq2CellXTf(ControlledTask):
    """Binding of TFs to regions in cells, for cells, TFs and pairs that training has not seen."""

    kind: Literal["seq2cellxtf"]
    input = "region_keys"
    target = "region_key_binding"
    adaptations = TRAINED | {"baseline", "zero-shot"}
    asking = frozenset({"unlabelled"})
    options = frozenset({"train.reverse_complement"})
    genome = False
    compared = "own"
    scoring = frozenset({"bootstrap"})
    page = "binding"
    writes = {"binding": ".parquet"}
    page_reads = frozenset(writes)

    hackathon: HackathonFiles | None = Field(None, description="The hackathon's files.")
    simulated: SimulatedBinding | None = Field(None, description="Simulated data.")
    samples: str | None = Field(
        None,
        description="Table of peak files: `file` (narrowPeak or BED, beside the table or a path), `cell`, `tf`, `replicate`; or a "
        "folder of files `{cell}_{tf}.narrowPeak` or `.bed`, plain or gzip. Of `bins` a column `relaxed` names peaks of a laxer "
        "threshold, whose bins are ambiguous.",
    )
    motifs: str | None = Field(None, description="Motifs of the TFs, MEME or JASPAR.")
    tf_names: str | None = Field(
        None,
        description="Table `tf`, `motif` (id or TF of the file) and, where known, `family`: aliases, several motifs.",
    )
    proteins: str | None = Field(
        None,
        description="Proteins of the TFs (FASTA; a title begins with the TF): heads read how alike they are to those of training "
        "TFs, beside motifs.",
    )
    without_motif: Literal["refuse", "keep"] = Field(
        "refuse", description="TFs without a motif, such as EP300: named and refused, or kept with no site anywhere."
    )
    expression: str | None = Field(None, description="Expression (TPM), genes x samples; the first column names genes.")
    expression_cells: str | None = Field(None, description="Table `sample`, `cell` of the columns of `expression`.")
    cells: str | None = Field(None, description="Ready features of cells: first column `cell`, then numbers.")
    accessibility: dict[str, list[str]] = Field(
        default_factory=dict, description="bigWig files of accessibility by cell (their mean is taken)."
    )
    exclude_tf: list[str] = Field(default_factory=list, description="TFs whose samples are left out at once.")
    min_signal: float | None = Field(None, description="Least signal of a peak (column 7 of narrowPeak).")
    min_q: float | None = Field(None, description="Least -log10 q of a peak (column 9).")
    blacklist: str | None = Field(None, description="Regions that share a base with these (BED) are left out.")
    universe: Universe = Field(default_factory=Universe, description="Regions.")
    splits: Splits = Field(
        default_factory=lambda: BlockSplits(block=1_000_000, gap=10_000, validation=0.15, test=0.25),
        description="How regions are divided along the genome (sources that bring their own splits do not read it).",
    )
    keys: KeySplits = Field(default_factory=KeySplits, description="Which keys are held out.")
    length: Positive = Field(1000, description="Bases that a model reads of a region, from its middle.")
    shift: Annotated[int, Field(ge=0)] = Field(
        0, description="Largest shift of a region in training, in bp to either side; N takes the place of what leaves."
    )
    components: Annotated[int, Field(ge=0)] = Field(
        8, description="Principal components of expression that describe a cell, fitted on training cells."
    )
    control: Literal["none", "permuted_cells", "permuted_tfs", "shuffled_sequences"] = Field(
        "none",
        description="What is known of cells, or of TFs, goes to another one, or the bases of each region are shuffled: a model "
        "has to fall to what it knows without. Who goes to whom is drawn again with each seed, ten times unless `runs` names them; "
        "bases are shuffled once.",
    )
    unlabelled: Annotated[list[Literal["support", "information", "state_change"]], Field(min_length=1)] = Field(
        default_factory=lambda: ["support"],
        description="What models that nothing was trained of (`zero-shot`) say of a TF's best site, the first is compared: "
        "`support`, log p of the site in its context less that of its bases in other orders, as the mean of its rank and the "
        "motif's; `information` that is left at each base, correlated with that of the motif; `state_change`, how far shuffling "
        "the site moves the states, less shuffling another stretch.",
    )
    bootstrap: Positive = Field(200, description="Bootstrap draws of blocks and TFs behind intervals of concordances.")

    @model_validator(mode="after")
    def _one_source(self) -> Seq2CellXTf:
        given = [name for name in ("hackathon", "simulated", "samples") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"give one of hackathon, simulated and samples (found {found})")
        if self.samples is not None and self.motifs is None:
            raise ValueError("motifs: name the motifs of the TFs (MEME or JASPAR)")
        if self.samples is None:
            lost = [
                name
                for name in ("motifs", "expression", "cells", "accessibility", "tf_names", "proteins")
                if getattr(self, name)
            ]
            if lost:
                raise ValueError(f"{', '.join(lost)}: {given[0]} brings its own; leave it out")
        made = self.samples is not None and self.universe.regions != "bins" and not self.universe.bed
        if self.universe.negatives != "universe" and not made:
            raise ValueError("universe.negatives: is for regions that are made from peaks; leave it out")
        if self.expression and self.cells:
            raise ValueError("give expression, or ready features of cells, not both")
        return self

    @property
    def control_draws(self) -> int:
        """How often a control is drawn where `runs` names no seeds: of sequences, whose sites are looked for, once."""
        return 10 if self.control in ("permuted_cells", "permuted_tfs") else 1

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is read of peaks alone."""
        if self.samples is None:
            for key in self.changed(*OF_PEAKS):
                yield key, "it is read of peaks (`samples`); this source brings its own regions, splits and TFs"

    @property
    def window_bp(self) -> int:
        """Bases of a region that a model reads."""
        return self.length

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset(
            {"truth", "accessibility"} if self.simulated else {"accessibility"} if self.accessibility else ()
        )

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        single = ("samples", "motifs", "tf_names", "proteins", "expression", "expression_cells", "cells", "blacklist")
        found: dict[Place, str] = {(name,): getattr(self, name) for name in single if getattr(self, name)}
        if self.hackathon:
            found |= {("hackathon", name): path for name, path in self.hackathon.model_dump().items()}
        if self.universe.bed:
            found["universe", "bed"] = self.universe.bed
        for cell, paths in self.accessibility.items():
            found |= {("accessibility", cell, number): path for number, path in enumerate(paths)}
        return found

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the files of the data for the examples, and the tables of keys and labels for what comes after them."""
        if step == "apply":  # the regions and keys of the run
            examples = f"{study.results}/examples/{label}"
            return {"examples": [f"{examples}.parquet", examples]}
        if step != "examples":
            known = step in ("train", "predict", "baseline", "score")
            return {"tables": f"{study.results}/examples/{label}"} if known else {}
        genome: Files = {"genome": f"{study.results}/reference/genome.fa"} if study.data.reference else {}
        return {"sources": sorted(set(self.named_files().values())), **genome}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what does not fit: peaks or haplotypes of samples without a genome, heads of known TFs where TFs are held out."""
        for name, prediction in study.predict.items():
            asked = prediction.write in self.writes and label in (prediction.tasks or [label])
            if self.simulated and asked:
                yield ("simulated",), f"simulated regions lie in no genome; name other `tasks` in predict.{name}"
        if self.samples is not None and not study.data.reference:
            yield ("samples",), "regions are read from the genome; give `reference.fasta`"
        if 2 * self.shift > self.length:
            yield (
                ("shift",),
                f"a shift of {self.shift} moves more than half of {self.length} bases out; use a smaller one",
            )
        kept = [run for run in study.runs_of(label) if study.adaptations[run.adaptation].kind == "probe"]
        if self.shift and kept:
            yield (
                ("shift",),
                f"adaptation {kept[0].adaptation!r} keeps the states of each region as it is; leave shift out",
            )
        new_tfs = bool(self.keys.tfs or self.keys.families)
        for run in study.runs_of(label):
            head = study.adaptations[run.adaptation].head
            if new_tfs and head is not None and getattr(head, "known_tfs_only", False):
                what = (
                    f"head {head.kind} of adaptation {run.adaptation!r} knows training TFs alone, and TFs are held out"
                )
                yield ("keys",), f"{what}; take another head, or hold out cells and pairs"
                return

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how much there is to compute: each region once, for all keys together."""
        train = adaptation.train
        regions = self.simulated.regions if self.simulated else None
        sites = [(self.length, 2 * regions * self.simulated.tfs)] if self.simulated else []
        return Work(
            length=self.length,
            window=self.length,
            examples=regions,
            predicted=regions and regions * (2 if train.reverse_complement else 1),
            at_once=train.micro_batch,
            held=train.micro_batch,
            held_bytes=self.length,
            asked=tuple(sites),
        )
