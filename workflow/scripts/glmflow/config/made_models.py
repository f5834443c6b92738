"""What is wrong with models that a study makes itself (pretrained, new, extended), found before any job runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from glmflow.errors import InputError
from glmflow.models import settings
from glmflow.models.facts import default_config, facts_of
from glmflow.models.setting_names import own_name
from glmflow.models.transformers_settings import check_sizes, settings_of
from glmflow.modules import module, module_names

from .asked import objective_of
from .base import Place
from .fitting import family_of
from .models import New, Pretrain
from .study import Study
from .words import suggest

Problems = Iterator[tuple[Place, str]]
LETTERS = 8
"""Tokens of families of single bases that are made here."""
OLDER = ("rope_theta", "rope_scaling", "torch_dtype")
"""Settings of older versions of transformers, which it still reads."""


def made_models(study: Study) -> Problems:
    """Yield what is wrong with models that the study makes."""
    yield from extended(study)
    yield from unknown_families(study)
    yield from unknown_keys(study)
    yield from unknown_corpora(study)
    yield from objectives(study)
    yield from unread_masks(study)
    yield from missing_layers(study)


def extended(study: Study) -> Problems:
    """Check that models whose context is extended are there, and of a family whose context can be."""
    for label, model in study.models.items():
        if model.extend is None:
            continue
        place = ("models", label, "extend", "model")
        base = study.models.get(model.extend.model)
        if base is None or base.origin not in ("pretrain", "checkpoint"):
            known = [name for name, other in study.models.items() if other.origin in ("pretrain", "checkpoint")]
            name = model.extend.model
            yield place, f"{name!r} is no pretrained or published model of this study{suggest(name, known)}"
            continue
        family = family_of(study, label)
        if family and (reason := facts_of(family).cannot("extension")):
            yield place, f"the context of {model.extend.model!r} cannot be extended: {family}: {reason}"


def unknown_families(study: Study) -> Problems:
    """Check that models made here are of a family that there is."""
    from glmflow.models.registry import family_names

    for label, model in study.models.items():
        block = model.made
        if block is not None and block.family not in family_names():
            place = ("models", label, model.origin, "family")
            yield place, f"unknown family {block.family!r}{suggest(block.family, family_names())}"


def unknown_keys(study: Study) -> Problems:
    """Check the settings of families whose every setting is known, and that a network can be made of them.

    A family whose configuration is that of transformers takes any key, and does nothing with those that it does not know.
    """
    for label, model in study.models.items():
        block = model.made
        known = known_settings(block) if block else ()
        if block is None or not known:
            continue
        place, wrong = ("models", label, model.origin, "config"), False
        for key in block.config:
            if key not in known:
                own, wrong = own_name(key, known), True
                hint = f"; did you mean {own!r}?" if own else suggest(key, known)
                yield (*place, key), f"family {block.family} has no setting {key!r}{hint}"
        if lacking := [key for key in facts_of(block.family).needs if key not in block.config]:
            yield place, f"family {block.family} needs {', '.join(lacking)} too"
        elif not wrong and (error := refused(block)):
            yield (*place, *_key_of(error, block.config)), f"no network can be made of it: {error.what}. {error.fix}"


def known_settings(block: New) -> Collection[str]:
    """Return the keys that `config` of a model that is made here may have; none where they are not known without its code."""
    facts, own = facts_of(block.family), default_config(block.family)
    if facts.own_settings:
        return own
    if "model_type" in block.config:  # the layout of a published configuration, which holds more than is read
        return ()
    if facts.transformers:
        theirs = settings_of(facts.transformers)
        return {*theirs, *(facts.settings or ()), *OLDER} if theirs else ()
    return () if facts.settings is None else {*own, *facts.settings}


def refused(block: New) -> InputError | None:
    """Return why no network can be made of the settings of a model; None where one can, or where only its code knows."""
    facts = facts_of(block.family)
    try:
        if block.family in module_names(settings.__name__):
            module(settings.__name__, block.family).configure(dict(block.config))
        elif facts.transformers:
            check_sizes(block.config, facts.transformers)
    except InputError as error:
        return error
    return None


def _key_of(error: InputError, config: Mapping[str, object]) -> tuple[str, ...]:
    """Return the first of the given settings that an error names; nothing where it names none."""
    named = {match.start(): key for key in config if (match := re.search(rf"\b{re.escape(key)}\b", error.what))}
    return (named[min(named)],) if named else ()


def unknown_corpora(study: Study) -> Problems:
    """Check the corpora that models are pretrained on; those without one are pretrained on a genome."""
    for label, model in study.models.items():
        if model.pretrain is None:
            continue
        name = model.pretrain.corpus
        if name is not None and name not in study.corpora:
            yield ("models", label, "pretrain", "corpus"), f"no corpus {name!r}{suggest(name, study.corpora)}"
        if model.pretrain.pairs:
            continue
        if name is None and study.data.reference is None:
            yield ("models", label, "pretrain"), "nothing to pretrain on: give `corpus`, or the study a genome"
        elif name is None and study.splits is None:
            what = "pretrained on the training regions of the genome: give `splits`, or `corpus`"
            yield ("models", label, "pretrain"), what


def objectives(study: Study) -> Problems:
    """Check that models can learn what they are pretrained for, from the tokens they read."""
    for label, model in study.models.items():
        if block := model.pretrain:
            yield from ((("models", label, "pretrain", key), text) for key, text in _unlearnable(study, label, block))


def _unlearnable(study: Study, label: str, block: Pretrain) -> Iterator[tuple[str, str]]:
    """Yield the keys that ask a model for what its family cannot learn."""
    facts, own = facts_of(block.family), objective_of(study, label)
    if block.objective and (block.objective == "next") != (own == "causal"):
        fix = "leave it out, or take a family (or `config: {causal: ...}`) that reads so"
        yield "objective", f"{block.objective}, and a model of {block.family} is {own}; {fix}"
    elif block.objective == "masked_diffusion" and facts.bases_per_token != 1:
        yield (
            "objective",
            f"masked_diffusion needs a token a base, and {block.family} has longer ones; take another family",
        )
    if block.vocabulary and not (facts.reads_byte_pairs and own == "causal"):
        key = "kmers" if block.kmers else "byte_pairs"
        yield key, f"{block.family} does not learn from {block.vocabulary}; take `family: olmo`, or leave it out"
    if block.pack and not facts.packs:
        yield "pack", f"models of {block.family} do not read several records in a row; leave it out"
    if block.carry_state_bp and not facts.carries:
        yield (
            "carry_state_bp",
            f"models of {block.family} have no state to be carried; leave it out, or take `rwkv7` or `mamba`",
        )
    single = default_config(block.family).get("vocab_size") == LETTERS
    if block.pairs and not (own == "causal" and single):
        fix = "take `small` (`config: {causal: true}`), `wavelet`, `rwkv7` or `mamba`"
        yield "pairs", f"models of {block.family} as asked here do not read text beside single bases; {fix}"
    if block.ends and not (own == "causal" and (single or block.vocabulary)):
        yield (
            "ends",
            f"models of {block.family} as asked here learn no end; take a causal one of single bases (`small`)",
        )
    if block.tags and "tags" not in default_config(block.family):
        yield "tags", f"models of {block.family} take no tags; leave it out, or take another family"


def unread_masks(study: Study) -> Problems:
    """Check that a share of masked bases is said of masked models alone, and a weight of lower case where it is kept."""
    for label, model in study.models.items():
        block = model.pretrain or model.extend
        if block is None:
            continue
        place, objective = ("models", label, "pretrain" if model.pretrain else "extend"), objective_of(study, label)
        asked = model.pretrain and model.pretrain.objective
        if block.changed("mask") and (objective == "causal" or asked == "masked_diffusion"):
            why = "its masks have every share" if asked == "masked_diffusion" else "it learns the next base"
            yield (*place, "mask"), f"does nothing: {why}. Leave it out"
        corpus = model.pretrain and study.corpora.get(model.pretrain.corpus or "")
        if corpus and not corpus.keep_softmask and block.changed("softmask_weight"):
            yield (*place, "softmask_weight"), "does nothing: the corpus keeps no lower case. Leave it out"


def missing_layers(study: Study) -> Problems:
    """Check that the layers whose states are read are there; those of published models are known with their files."""
    for model, label in dict.fromkeys((run.model, run.adaptation) for run in study.expanded[0]):
        adaptation, count = study.adaptations[label], layers_of(study, model)
        asked = [adaptation.layer, *(adaptation.sweep or {}).get("layer", ())]
        if count is not None and any(layer is not None and abs(layer) > count for layer in asked):
            has = f"{count} layers" if count else "no layers to choose from; leave `layer` out"
            yield ("adaptations", label, "layer"), f"model {model!r} has {has}"


def layers_of(study: Study, label: str) -> int | None:
    """Return the number of layers of a model that is made here; None where only its files tell."""
    model = study.models[label]
    if model.extend:
        return layers_of(study, model.extend.model)
    block = model.made
    if block is None:
        return None
    known = default_config(block.family) | block.config
    found = next((known[name] for name in ("num_layers", "n_layer", "blocks") if name in known), None)
    return 0 if found is None and facts_of(block.family).own_settings else found
