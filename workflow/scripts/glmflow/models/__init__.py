"""Published and home-made genomic language models behind one interface.

>>> from glmflow.models import load_model
>>> model = load_model("resources/models/nt-v2-50m")  # a folder, or a Hugging Face id that is downloaded already
>>> tokens = model.tokenize(["ACGTNACGT"])  # lower case is upper-cased, IUPAC letters become N
>>> logits, hidden = model(tokens.input_ids, tokens.attention_mask)
>>> model.states_per_base(tokens).shape  # [sequences, bases, hidden size], whatever the tokenizer
>>> model.log_likelihood(["ACGTNACGT"])  # nats of each sequence
>>> model.card.licence, model.card.context_bp, model.card.can("base_probabilities")

Modules
-------
``interface``
    `ModelCard`, `Tokens`, `Output`; `Network`, the base of the families' modules; `Model`, what is asked of an adapter.
``adapter``
    `Adapter`: a model of any family.
``registry``
    Finds families by file name and recognises the family of a checkpoint; imports no torch.
``facts``
    What is known of a family without importing it (``families/<family>.yaml``).
``settings``, ``transformers_settings``, ``setting_names``
    Settings of families trained here, those of transformers' configurations, and their names: a study is checked by them, without
    torch.
``tokenizers``
    Character, k-mer and BPE tokenizers that know which token covers which base.
``loading``, ``saving``, ``weights``
    From a folder, a Hugging Face id or a configuration to an `Adapter` and back; checkpoint files, tied weights included.
``likelihood``, ``generation``
    Log-likelihoods and probabilities of bases; sampling from causal models.
``chunking``
    Windows longer than a model's context, as overlapping chunks whose states are joined base by base.
``attention``
    One attention function (SDPA or flash-attention 2), and which of them a model takes.
``efficient``, ``adapted_layers``
    Ways to train few parameters of a model (low-rank adaptation, IA3), a file each; what they share.
``huggingface``
    A `Network` around one of transformers' own classes.
``heads``
    Networks that turn states into predictions.
``families``
    One file for each family.

How to add a family
-------------------
Write one file, ``families/<name>.py``, with a module-level ``FAMILY``, and ``families/<name>.yaml`` with its facts.
Nothing else is edited: the registry looks at the file names and imports the file when it is needed. A family is a network,
some functions and some data::

    class MyNetwork(Network):  # its parameters have the published state-dict names
        head_names = ("lm_head",)  # what drop_head() removes
        keep_float32 = ("A_log",)  # parameters that stay float32 in a bf16 model

        def states(self, input_ids, attention_mask=None):  # [B, T] -> [B, T, D], as the original's last hidden state
            x = self.embed(input_ids)
            for block in self.layers:
                x = self.run_block(block, x)  # with gradient checkpointing if it is switched on
            return self.norm(x)

        def logits(self, states):  # [B, T, D] -> [B, T, V]
            return self.lm_head(states)


    FAMILY = Family(
        name="my_family",  # the name of the file
        model_types=("my-model-type",),  # `model_type` of config.json; or `matches`, a function of config.json
        build=lambda config, attention: MyNetwork(config, attention),  # random weights; also run on the meta device
        card=lambda config: ModelCard(...),
        tokenizer=lambda config, folder: CharacterTokenizer(...),  # folder is None for a model made from a configuration
        convert=lambda state, config: {...},  # published names -> names of MyNetwork
    )

Rules on which correct loading depends:

* ``build`` is called on the meta device. A tensor that is not in the checkpoint (rotary frequencies, ALiBi slopes) is
  therefore made in a method ``reset_buffers(self)`` of the module that owns it: ``__init__`` calls it, and the loader calls
  it again. Random weights of a model made from a configuration are those of the modules' own initialisers, on the CPU, from
  the seed.
* A rotary module has the buffer ``inv_freq`` (float32, ``[head_dim / 2]``, persistent only if it is published) and the
  attribute ``attention_scaling`` (1.0), which multiplies cos and sin. Context extension changes both in place.
* Attention is computed by `glmflow.models.attention.attend`, so that no ``[B, heads, L, L]`` tensor is built.
* A tied weight is one ``nn.Parameter`` under two names, tied in ``__init__``, where the loader finds it. A checkpoint may
  hold either name, ``convert`` need not add the other, and saving writes the first only.
* What the family cannot do is named in its card, with the reason and the alternative: ``cannot={"generation": "..."}``.
* A family with inputs or states of another kind (regions instead of bases, two strands in one state) has a subclass of
  `Adapter`, named in ``Family(adapter=...)``.
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
    """Return the model of a checkpoint folder, or of a Hugging Face id that is downloaded, in evaluation mode.

    Parameters
    ----------
    folder_or_id
        A folder with ``config.json`` and weights (published, or written by `Adapter.save`), or ``owner/name``.
    family
        Name of a file in ``models/families``. By default ``model.yaml`` names it, or ``config.json`` is recognised.
    dtype
        ``torch.dtype`` or its name; float32 by default. Parameters that a family keeps in float32 stay so.
    attention
        ``auto`` (flash-attention 2 if it is installed and GPU and dtype allow, else SDPA), ``sdpa``, ``flash_attention_2`` or
        ``eager``.
    revision
        Commit or tag of a Hugging Face model.
    compute_dtype
        Type the model will compute in under autocast, if it is not that of the weights: it decides whether
        flash-attention 2 can be taken.

    Raises
    ------
    InputError
        Unknown family, no such folder, weights missing, unexpected or of another shape.
    """
    from glmflow.models.loading import load

    return load(folder_or_id, family, dtype, attention, revision, compute_dtype)


def new_model(
    family: str,
    config: dict[str, Any],
    seed: int = 0,
    attention: str = "auto",
    compute_dtype: Any = None,
    vocabulary: str | PathLike[str] | None = None,
) -> Adapter:
    """Return a model of a family with random weights, made from a configuration alone.

    Parameters
    ----------
    family
        ``small``, ``dilated_cnn`` or any published family (tiny sizes serve tests and benchmarks).
    config
        Content of ``config.json``; keys that are left out have the family's defaults.
    seed
        Seed of the weights; the global random state is left as it was.
    attention, compute_dtype
        As for `load_model`.
    vocabulary
        Folder with a ``tokenizer.json``, of families that read one.
    """
    from pathlib import Path

    from glmflow.models.loading import create

    return create(family, config, seed, attention, compute_dtype, Path(vocabulary) if vocabulary else None)
