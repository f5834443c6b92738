"""Kind `region_expression`: expression at promoters from a cell's accessible regions and the motifs in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Label, Place, Positive
from ..blocks import TRAINED
from ..data import BlockSplits, Splits
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView


class SimulatedExpression(Block):
    """Expression whose truth is known: TFs of lineages open regions, and promoters sum up what is open around them."""

    regions: Positive = Field(2400, description="Regions, a third of them promoters.")
    cells: Annotated[int, Field(ge=4)] = Field(10, description="Cells, in lineages of two.")
    tfs: Annotated[int, Field(ge=4)] = Field(20, description="TFs, a motif each, in families that are clusters.")
    width: Annotated[int, Field(ge=100)] = Field(300, description="Bases of a region.")
    seed: int = Field(1, description="Seed of the data.")


class CellSplits(Block):
    """Which cells are held out."""

    test: Annotated[int, Field(ge=0)] | list[str] = Field(0, description="Test cells, or how many are drawn.")
    validation: Annotated[int, Field(ge=0)] | list[str] = Field(
        0,
        description="Validation cells, or how many are drawn; without any, training cells choose on validation regions.",
    )
    groups: dict[Label, list[str]] = Field(
        default_factory=dict, description="Cells of one donor or line, held out together."
    )
    seed: int = Field(1, description="Seed of the draw.")


class RegionExpression(TaskBlock):
    """Expression of both strands at the promoters among a cell's regions, for cells and contigs that training has not seen."""

    kind: Literal["region_expression"]
    input = "region_windows"
    target = "region_values"
    adaptations = TRAINED | {"baseline", "zero-shot"}
    reads = "regions"
    needs = frozenset()
    genome = False
    compared = "own"
    page = "expressed"

    simulated: SimulatedExpression | None = Field(None, description="Simulated data.")
    regions: str | None = Field(
        None, description="Regions (BED) of all cells; which ones a cell has, accessibility says."
    )
    accessibility: dict[str, list[str]] = Field(
        default_factory=dict, description="bigWig files by cell (the mean of each region is taken)."
    )
    counts: str | None = Field(
        None, description="Reads by region and cell instead: table `chrom`, `start`, `end`, and one column per cell."
    )
    expression: str | None = Field(None, description="Expression (TPM), genes x cells; the first column names genes.")
    motifs: str | None = Field(None, description="Motifs that are scanned for, MEME or JASPAR.")
    clusters: str | None = Field(
        None, description="Table `motif`, `cluster`: motifs that are one column; each its own where left out."
    )
    hits: str | None = Field(
        None, description="Hits that are known (BED: chrom, start, end, cluster, score) instead of a scan."
    )
    columns: str | None = Field(
        None,
        description="Clusters in the order of the columns, a line each (those of a checkpoint); sorted where left out.",
    )
    width: Positive = Field(400, description="Bases of a region; given ones are resized around their middles.")
    p: Annotated[float, Field(gt=0, lt=1)] = Field(
        1e-4, description="Chance of a hit at a place by which hits are called."
    )
    promoter: Annotated[int, Field(ge=0)] = Field(
        300, description="Bases around the start of a gene that are its promoter."
    )
    closed: Fraction = Field(0.05, description="Accessibility below which a promoter counts as not expressed.")
    binary: bool = Field(False, description="Accessibility is 1 in every region of a cell.")
    window: Annotated[int, Field(ge=2)] = Field(200, description="Neighbouring regions that a model reads together.")
    span: Positive = Field(5_000_000, description="Bases that they reach over at most.")
    splits: Splits = Field(
        default_factory=lambda: BlockSplits(block=10_000_000, gap=1_000_000, validation=0.1, test=0.2),
        description="How regions are divided along the genome (simulated ones bring their own).",
    )
    cells: CellSplits = Field(default_factory=CellSplits, description="Which cells are held out.")

    @model_validator(mode="after")
    def _one_source(self) -> RegionExpression:
        own = [
            name
            for name in ("regions", "counts", "accessibility", "expression", "motifs", "hits")
            if getattr(self, name)
        ]
        if self.simulated is not None:
            if own:
                raise ValueError(f"{', '.join(own)}: simulated data bring their own; leave it out")
            return self
        if self.expression is None:
            raise ValueError("give `expression` (genes x cells), or `simulated`")
        if bool(self.counts) == bool(self.accessibility):
            raise ValueError("give `counts`, or `regions` with `accessibility`, and not both")
        if self.accessibility and not self.regions:
            raise ValueError("`accessibility` is read in `regions`: give a BED")
        if self.counts and self.regions:
            raise ValueError("`counts` names its regions: leave `regions` out")
        if bool(self.motifs) == bool(self.hits):
            raise ValueError("give `motifs` that are scanned for, or `hits` that are known, and not both")
        if self.hits and self.clusters:
            raise ValueError("`hits` name their clusters: leave `clusters` out")
        return self

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is read of files alone where data are simulated, and what is scanned for where hits are known."""
        if self.simulated is not None:
            for key in self.changed("width", "promoter", "clusters", "splits"):
                yield key, "data are simulated, with their regions, promoters, clusters and splits"
        elif self.hits:
            for key in self.changed("p"):
                yield key, "`hits` are known, and nothing is scanned for"

    @property
    def window_bp(self) -> int:
        """Examples are regions, which no model reads base by base."""
        return 0

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"truth"} if self.simulated else ())

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        names = ("regions", "counts", "expression", "motifs", "clusters", "hits", "columns")
        found: dict[Place, str] = {(name,): getattr(self, name) for name in names if getattr(self, name)}
        for cell, paths in self.accessibility.items():
            found |= {("accessibility", cell, number): path for number, path in enumerate(paths)}
        return found

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the files of the data for motif matrix and examples, and the tables of both for what comes after them."""
        matrix: Files = {"matrix": f"{study.results}/motif_matrix/{label}"}
        if step in ("train", "predict", "baseline", "score"):
            looked_up = step == "baseline" and study.data.reference and not self.simulated
            genome: Files = {"genome": f"{study.results}/reference/genome.fa"} if looked_up else {}
            return matrix | {"tables": f"{study.results}/examples/{label}"} | genome
        if step not in ("motif_matrix", "examples"):
            return {}
        reference = f"{study.results}/reference"
        files: Files = {"sources": sorted(set(self.named_files().values()))}
        if study.data.reference and not self.simulated:
            files |= {"genome": f"{reference}/genome.fa", "genes": f"{reference}/genes.tsv"}
        return files if step == "motif_matrix" else files | matrix

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what does not fit: regions without a genome, or expression without genes."""
        if self.simulated is None and not (study.data.reference and study.data.reference.annotation):
            yield (
                ("expression",),
                "promoters are found by the starts of genes; give `reference: {fasta: …, annotation: …}`",
            )

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how much there is to compute: windows of regions, a token each."""
        train = adaptation.train
        known = self.simulated
        windows = known and max(1, known.regions * known.cells // self.window)
        return Work(
            length=self.window,
            window=self.window,
            examples=windows,
            outputs=2,
            predicted=windows,
            at_once=train.micro_batch,
            held=train.micro_batch,
            held_bytes=4 * 300 * self.window,
        )
