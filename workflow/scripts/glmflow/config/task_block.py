"""What a kind of task declares, so that nothing else has to know its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from .adaptations import Adaptation
from .base import Block, Place
from .blocks import TRAINED, LossBlock
from .data import Data
from .views import Run, StudyView

Files = dict[str, str | list[str]]
"""Input files of a job by name; an empty list where there is none."""


class Work(NamedTuple):
    """How much there is to compute for a task with one adaptation; the plan turns it into memory and hours.

    Attributes
    ----------
    length
        Bases of a training sequence.
    window
        Bases of a sequence that is predicted.
    examples
        Training examples of an epoch; None where nothing says so yet.
    sequences
        Sequences of a training example that are computed (two haplotypes of many samples, or one window).
    outputs
        Values that the head predicts for each base or sequence.
    predicted
        Sequences that are predicted, both strands counted; None where nothing says so yet.
    at_once
        Sequences in one forward pass without gradients.
    held, held_bytes, held_states
        Sequences in main memory while predicting (None: not known yet), bytes of each, and states kept for each.
    asked
        Lengths and numbers of the sequences that a model is asked about as it is (zero-shot).
    """

    length: int
    window: int
    examples: int | None = None
    sequences: int = 1
    outputs: int = 1
    predicted: int | None = None
    at_once: int = 1
    held: int | None = None
    held_bytes: int = 0
    held_states: int = 0
    asked: tuple[tuple[int, int], ...] = ()


class TaskBlock(Block):
    """Settings of a kind of task, and what the workflow has to know of the kind.

    A kind is one module of `glmflow.config.tasks`, named as the kind, with one subclass.
    """

    kind: str

    input: ClassVar[str]
    """Module of `glmflow.training.inputs` that turns examples into batches."""
    target: ClassVar[str]
    """What is predicted; heads, losses and baselines of the same target fit. A property where the settings decide."""
    adaptations: ClassVar[frozenset[str]] = TRAINED | {"baseline"}
    """Kinds of adaptation that make sense."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Reason by kind of adaptation, or origin of a model, that does not fit."""
    reads: ClassVar[str] = "sequence"
    """What a model has to read (`inputs` in the facts of its family)."""
    needs: ClassVar[frozenset[str]] = frozenset({"per_base_states"})
    """Capabilities that a model has to have (`cannot` in the facts of its family)."""
    options: ClassVar[frozenset[str]] = frozenset()
    """Keys of `Adaptation.OPTIONAL` that training on this input reads."""
    frozen_options: ClassVar[frozenset[str]] = frozenset()
    """The same where the backbone is frozen (`probe`)."""
    compared: ClassVar[Literal["windows", "sequences", "own"]] = "windows"
    """What held-out examples are compared with training by: windows of the genome (as long as `window_bp`), or the column
    `sequence`; `own`: by what `compared` of its module says, or copies that it hands over (`Made.copies`), and its examples
    cannot be left out, since further tables go by their place."""
    genome: ClassVar[bool] = True
    """Whether its examples are cut from the study's genome and divided by its `splits`."""
    scoring: ClassVar[frozenset[str]] = frozenset({"bootstrap"})
    """Keys that only scores depend on: changing them trains no model again."""
    training: ClassVar[frozenset[str]] = frozenset()
    """Keys that only the training of models depends on: baselines do not read them."""
    asking: ClassVar[frozenset[str]] = frozenset()
    """Keys that only models read that are asked as they are: neither examples nor baselines depend on them."""
    writes: ClassVar[Mapping[str, str]] = {}
    """What tuned models of the kind can be asked to write (`predict.*.write`): ending of the file, '' for a folder."""
    page_reads: ClassVar[frozenset[str]] = frozenset()
    """Those of `writes` that the kind's report page reads."""
    page: ClassVar[str | None] = None
    """Stem of the kind's report page; None without one."""
    compares: ClassVar[bool] = False
    """Whether it has comparisons of its own beside the one that every kind has (`compare` of its module)."""
    exports: ClassVar[bool] = False
    """Whether the examples can be exported in a published layout (`export` of its module)."""

    @property
    def uncontrolled(self) -> dict[str, Any] | None:
        """Settings of the task that this one is a control of; None where it is no control."""
        return None

    @property
    def control_draws(self) -> int:
        """How often a control is drawn where `runs` names no seeds: more than once where each seed draws it again."""
        return 1

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers; 0 where examples are no part of the genome."""
        raise NotImplementedError

    @property
    def compared_bp(self) -> int:
        """Bases around a shorter example that are compared with training: what a model reads of it."""
        return self.window_bp

    @property
    def inside_bp(self) -> int:
        """Bases of a window that have to lie on a contig."""
        return self.window_bp

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("windows", "size")

    @property
    def without_validation(self) -> bool:
        """Whether splits of its own, drawn and not those of its files, hold out no validation split."""
        own = getattr(self, "splits", None)
        return own is not None and own.by not in ("given", "official") and not own.validation

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step: `examples`, `train`, `predict`, `baseline`, `judge`, `score`, `compare`,
        `export`.

        Those that every kind reads (the examples table, the model, the predictions) are not among them.
        """
        return {}

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target (`BaselineBlock.needs`)."""
        return frozenset()

    def track_names(self, study: StudyView) -> list[str]:
        """Return the names of the tracks that are predicted, in their order."""
        return []

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name, by key below the task."""
        return {}

    def own_data(self, study: StudyView) -> Data | None:
        """Return the data that the task brings along in place of the study's; None where it brings none."""
        return None

    def facts(self, study: StudyView, label: str) -> dict[str, Any]:
        """Return what a run depends on beside the settings of task, model and adaptation."""
        return {}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield the problems that are seen only beside other blocks, with their place in the study."""
        yield from ()

    def judges(self, study: StudyView, label: str) -> Mapping[str, tuple[str, int]]:
        """Return models that are asked about what was predicted, beside those of the runs: label and seed, by input."""
        return {}

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how much there is to compute."""
        return Work(self.window_bp, self.window_bp)

    @property
    def own_loss(self) -> LossBlock | None:
        """Training loss that the task names, for adaptations that name none."""
        return None

    def option_keys(self, adaptation: str) -> frozenset[str]:
        """Return the optional keys that training with a kind of adaptation reads."""
        return self.frozen_options if adaptation == "probe" else self.options


class ControlledTask(TaskBlock):
    """A kind with a key `control`: `none`, or what is exchanged or taken away so that nothing is left to be learned."""

    if TYPE_CHECKING:
        control: str

    @property
    def uncontrolled(self) -> dict[str, Any] | None:
        """Settings of the task that this one is a control of; None where it is no control."""
        return None if self.control == "none" else self.model_dump(mode="json") | {"control": "none"}
