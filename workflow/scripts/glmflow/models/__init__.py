"""Published and home-made genomic language models behind one interface.

>>> from glmflow.models import load_model
>>> model = load_model("resources/models/nt-v2-50m")  # a folder, or a Hugging Face id already downloaded
>>> tokens = model.tokenize(["ACGTNACGT"])  # lower case is upper-cased, IUPAC letters become N
>>> logits, hidden = model(tokens.input_ids, tokens.attention_mask)
>>> model.states_per_base(tokens).shape  # [sequences, bases, hidden size], whatever the tokenizer
>>> model.log_likelihood(["ACGTNACGT"])  # nats a sequence
>>> model.card.licence, model.card.context_bp, model.card.can("base_probabilities")

Modules
-------
``adapter``     `Adapter`, the interface; `ModelCard`, what a model is; `Network`, a family's module.
``registry``    finds families by file name and recognises a checkpoint's family; imports no torch.
``tokenizers``  character, k-mer and BPE tokenizers that know which token covers which base.
``weights``     reads and writes checkpoint files, tied weights included.
``loading``     puts the parts together: a folder, a Hugging Face id or a configuration to an `Adapter`.
``scoring``     log-likelihoods and base probabilities.
``generation``  sampling from causal models.
``huggingface`` a `Network` around one of transformers' own classes.
``chunking``    windows longer than a model's context, as overlapping chunks stitched back per base.
``attention``   one attention function (SDPA, or flash-attention 2), and which of them a model takes.
``lora``        low-rank adaptation with the targets of each family, checked to train something.
``families``    one file a family.

How to add a family
------------------- Write one file, ``families/<name>.py``, with a module-level ``FAMILY``. Nothing else is
edited: the registry scans the file names and imports the file when it is needed. A family is four functions
and some data::

    class MyNetwork(Network):                       # parameters carry the published state-dict names
        head_names = ("lm_head",)                   # what drop_head() removes
        keep_float32 = ("A_log",)                   # parameters that stay float32 in a bf16 model

        def states(self, input_ids, attention_mask=None):   # [B, T] -> [B, T, D], as the original's
        last_hidden_state
            x = self.embed(input_ids)
            for block in self.layers:
                x = self.run_block(block, x)        # gradient checkpointing when it is switched on
            return self.norm(x)

        def logits(self, states):                   # [B, T, D] -> [B, T, V]
            return self.lm_head(states)

    FAMILY = Family(
        name="my_family",                           # the file's name model_types=("my-model-type",),
        # config.json's model_type; or matches=function of config.json build=lambda config, attention:
        MyNetwork(config, attention),   # random weights; also runs on the meta device card=lambda config:
        ModelCard(...), tokenizer=lambda config, folder: CharacterTokenizer(...),       # folder is None for a
        model made from a config convert=lambda state, config: {...},        # published names -> MyNetwork's:
        tied or missing tensors added here
    )

Rules that keep loading right:

* ``build`` is called on the meta device, so a tensor that is not in the checkpoint (rotary frequencies, ALiBi
  slopes) is made in a method ``reset_buffers(self)`` of the module that owns it; ``__init__`` calls it, and
  the loader again. Random weights of a model made from a config are those of the modules' own initialisers,
  on the CPU, seeded.
* A rotary module has the buffer ``inv_freq`` (float32, ``[head_dim / 2]``, not persistent unless published
  so) and the attribute ``attention_scaling`` (1.0), applied to cos and sin: context extension writes these
  two in place.
* Attention goes through `glmflow.models.attention.attend`, so that no ``[B, heads, L, L]`` tensor is built.
* A tied weight is one ``nn.Parameter`` under two names, tied in ``__init__``. The loader finds it there:
  whichever of the names a checkpoint has is enough, ``convert`` need not add the others, and saving writes
  the first only.
* What the family cannot do stands in the card with the reason and the alternative: ``cannot={"generation":
  "..."}``.
* A peculiar family (regions instead of bases, two strands in one state) subclasses `Adapter` and names it in
  ``Family(adapter=...)``.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glmflow.models.adapter import Adapter

__all__ = ["load_model", "new_model"]


def load_model(
    folder_or_id: str | PathLike[str],
    family: str | None = None,
    dtype: Any = None,
    attention: str = "auto",
    revision: str | None = None,
    compute_dtype: Any = None,
) -> Adapter:
    """Load a checkpoint folder, or a Hugging Face model that has been downloaded, as an `Adapter` in
    evaluation mode.

    Parameters
    ----------
    folder_or_id
        A folder with ``config.json`` and weights (published, or written by `Adapter.save`), or
        ``owner/name``.
    family
        Name of a file in ``models/families``. By default ``model.yaml`` names it, else ``config.json`` is
        recognised.
    dtype
        ``torch.dtype`` or its name; float32 by default. Parameters that a family keeps in float32 stay so.
    attention
        ``auto`` (flash-attention 2 where it is installed and GPU and dtype allow, else SDPA), ``sdpa``,
        ``flash_attention_2`` or ``eager``.
    revision
        Commit or tag of a Hugging Face model.
    compute_dtype
        Type the model will compute in under autocast, where it is not that of the weights: it decides whether
        flash-attention 2 can be taken.

    Raises
    ------
    InputError
        Unknown family, no such folder, weights missing, unexpected or of another shape.
    """
    from glmflow.models.loading import load

    return load(folder_or_id, family, dtype, attention, revision, compute_dtype)


def new_model(
    family: str, config: dict[str, Any], seed: int = 0, attention: str = "auto", compute_dtype: Any = None
) -> Adapter:
    """Make a model of a family with random weights from a configuration alone: the models pretrained by this
    workflow.

    Parameters
    ----------
    family
        ``small``, ``dilated_cnn`` or any published family (tiny sizes serve tests and benchmarks).
    config
        What ``config.json`` of the family holds; keys left out take the family's defaults.
    seed
        Seed of the weights; the global random state is left as it was.
    attention, compute_dtype
        As for `load_model`.
    """
    from glmflow.models.loading import create

    return create(family, config, seed, attention, compute_dtype)
