"""One patcher for every model with rotary positions, whatever reads or ignores its configuration.

A rotary module is any module with a tensor ``inv_freq`` of shape ``[head_dim / 2]`` (or ``{layer
type}_inv_freq``, as in ModernBERT, where layers of local attention are left alone). The frequencies are
written over it. The attention factor goes to its ``attention_scaling``; a module without that attribute
returns a pair of tensors, cosines and sines or queries and keys, and both are multiplied.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from .attention_forms import install
from .clex import FrequencyField
from .frequencies import Rotary, clex_stretch, depends_on_length, inverse_frequencies
from .positions import refusal

SHARED = ("method", "factor", "original_length", "base", "unit")
LOCAL_ATTENTION = ("sliding", "local", "chunked")
FIELD_SETTINGS = ("param_factor", "activation", "step", "gain")
FIELD = "extension_field"
CACHES = ("_cos_cached", "_sin_cached", "_cos_k_cached", "_sin_k_cached")


@dataclass
class RotaryTable:
    """One ``inv_freq`` of one module, and how to write over it."""

    name: str
    module: nn.Module
    prefix: str = ""
    factor_to_fold: float = 1.0
    extension: Extension | None = None
    hooks: list = field(default_factory=list)

    @property
    def frequencies(self) -> Tensor:
        """The module's present frequencies."""
        return getattr(self.module, f"{self.prefix}inv_freq")

    @property
    def attention_factor(self) -> float:
        """The module's present attention factor."""
        return getattr(self.module, f"{self.prefix}attention_scaling", self.factor_to_fold)

    def write(self, frequencies: Tensor, attention_factor: float) -> None:
        """Set frequencies (float32, on the module's device) and attention factor; forget what was cached."""
        setattr(self.module, f"{self.prefix}inv_freq", frequencies.to(self.frequencies.device, torch.float32))
        if hasattr(self.module, f"{self.prefix}attention_scaling"):
            setattr(self.module, f"{self.prefix}attention_scaling", attention_factor)
        else:
            self.factor_to_fold = attention_factor
        for cache in CACHES:
            if hasattr(self.module, cache):
                setattr(self.module, cache, None)
        if hasattr(self.module, "_seq_len_cached"):
            self.module._seq_len_cached = 0

    def attach(self, extension: Extension) -> None:
        """Follow the input's length where the method asks for it; fold the attention factor where needed."""
        self.extension = extension
        if extension.follows_length:
            self.hooks.append(self.module.register_forward_pre_hook(self._before, with_kwargs=True))
        if not hasattr(self.module, f"{self.prefix}attention_scaling"):
            self.hooks.append(self.module.register_forward_hook(self._fold))
        if extension.field is not None:
            # transformers computes cosines without gradients; the learned frequencies need them.
            forward = inspect.unwrap(type(self.module).forward)
            self.module.forward = types.MethodType(forward, self.module)
            self.hooks.append(self.module.register_forward_hook(self._detach))

    def detach(self) -> None:
        """Undo `attach`."""
        for hook in self.hooks:
            hook.remove()
        self.hooks.clear()
        self.module.__dict__.pop("forward", None)
        self.extension = None

    def _before(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        self.write(*self.extension.at_length(_input_length(self.name, args, kwargs)))

    def _fold(self, module: nn.Module, args: tuple, output):
        if self.factor_to_fold == 1:
            return output
        if not (isinstance(output, tuple) and len(output) == 2):
            raise InputError(
                f"rotary module '{self.name}' cannot take an attention factor of {self.factor_to_fold:.4g}",
                fix="Give it an attribute attention_scaling, or take attention_factor: 1.",
            )
        return tuple(tensor * self.factor_to_fold for tensor in output)

    def _detach(self, module: nn.Module, args: tuple, output) -> None:
        setattr(module, f"{self.prefix}inv_freq", self.frequencies.detach())


def find_rotary(model: nn.Module) -> list[RotaryTable]:
    """Return every rotary table of `model` that an extension changes (none of local attention)."""
    tables = []
    for name, module in model.named_modules():
        tensors = {**vars(module), **module._buffers, **module._parameters}
        for attribute, value in tensors.items():
            prefix, found, rest = attribute.partition("inv_freq")
            derived = prefix.endswith(("original_", "long_"))
            if found and not rest and isinstance(value, Tensor) and not derived and not _is_local(prefix):
                tables.append(RotaryTable(name, module, prefix))
    return tables


def _is_local(prefix: str) -> bool:
    return any(word in prefix for word in LOCAL_ATTENTION)


class Extension:
    """An extension method at work in a model; made by `extend`.

    Attributes
    ----------
    settings
        All that is needed to apply it again: method, factor, original length, base, unit and the
        method's own.
    field
        The learned part (CLEX), registered as ``extension_field`` in the first rotary module; else None.
    """

    def __init__(self, model: nn.Module, tables: list[RotaryTable], rotary: Rotary, settings: dict):
        self.model, self.tables, self.rotary, self.settings = model, tables, rotary, settings
        self.scale: float | None = None
        self.undo_attention: Callable[[], None] | None = None
        own = {key: value for key, value in settings.items() if key not in (*SHARED, "attention")}
        self.own = {key: value for key, value in own.items() if key not in FIELD_SETTINGS}
        self.follows_length = depends_on_length(settings["method"], self.own)
        self.field = None
        if settings["method"] == "clex":
            chosen = {key: own[key] for key in FIELD_SETTINGS if key in own}
            self.field = FrequencyField(rotary, **chosen).to(tables[0].frequencies.device)
            tables[0].module.add_module(FIELD, self.field)
        self.original = [(table.frequencies.clone(), table.attention_factor) for table in tables]

    def at_length(self, length: int | None) -> tuple[Tensor, float]:
        """Return frequencies ``[head_dim / 2]`` and attention factor for inputs of `length` positions."""
        if self.field is not None:
            stretch = clex_stretch(self.rotary, self.settings["factor"], length, self.scale)
            return self.field(stretch), 1.0
        own = dict(self.own)
        if self.follows_length:
            own["length"] = length
        if self.scale is not None:
            own["scale"] = self.scale
        shared = {key: self.settings[key] for key in SHARED}
        frequencies, attention_factor = inverse_frequencies(head_dim=self.rotary.head_dim, **shared, **own)
        return torch.from_numpy(frequencies), attention_factor

    def set_scale(self, scale: float | None) -> None:
        """Use `scale` (drawn for a batch while tuning) from now on; None for the method's rule at test."""
        self.scale = scale
        self._write()

    def restore(self) -> None:
        """Give the model back as it was before `extend`."""
        for table, (frequencies, attention_factor) in zip(self.tables, self.original):
            table.detach()
            table.write(frequencies, attention_factor)
        if self.field is not None:
            delattr(self.tables[0].module, FIELD)
        del self.model.__dict__["glmflow_extension"]
        if self.undo_attention is not None:
            self.undo_attention()
        _note_in_config(self.model, None)

    def _write(self) -> None:
        frequencies, attention_factor = self.at_length(None)
        for table in self.tables:
            table.write(frequencies.detach(), attention_factor)


def extend(
    model: nn.Module,
    method: str,
    factor: float,
    original_length: int,
    *,
    base: float | None = None,
    unit: float = 1.0,
    attention: dict | None = None,
    **settings,
) -> Extension:
    """Extend the context of a model with rotary positions, in place.

    Nothing is trained: tune afterwards, with what `glmflow.context.sampler` draws. A model that is
    extended already is restored first. The settings are put in ``model.config.extension`` where the
    model has a configuration; after loading it again, `extend(model, **model.config.extension)` and the
    saved weights give the same logits.

    Parameters
    ----------
    model
        Any torch module; causal or masked.
    method, factor, settings
        See `inverse_frequencies`; ``clex`` also takes `param_factor`, `activation`, `step` and `gain` of
        `FrequencyField`.
    original_length
        Tokens of the longest sequence the model was trained on.
    base, unit
        Of the trained frequencies; read off the model where `base` is not given.
    attention
        ``{"form": "rerope" or "dual_chunk", "window": tokens}`` for a form of attention that bounds
        distances, over any method's frequencies (see `glmflow.context.attention_forms`); transformers models only.

    Returns
    -------
    Extension
        With ``.settings``, ``.set_scale()`` and ``.restore()``.

    Raises
    ------
    InputError
        Where the model has no rotary positions (naming what it has instead), is extended in a way of
        its own, or a setting makes no sense.
    """
    # Numbers of numpy would not survive the configuration's file.
    settings = {
        key: np.asarray(value).tolist() if key.endswith("_factor") else value for key, value in settings.items()
    }
    if present := extension_of(model):
        present.restore()
    tables = find_rotary(model)
    if not tables:
        raise refusal(model)
    for table in tables:
        _check_static(table)
    given = base is not None
    if not given:
        series = {_geometric_series(table) for table in tables}
        if len(series) > 1:
            raise InputError(
                f"rotary modules of {type(model).__name__} have different bases: {sorted(series)}",
                fix="Give the base.",
            )
        base, unit = series.pop()
    rotary = Rotary(2 * tables[0].frequencies.numel(), base, original_length, unit)
    shared = {
        "method": method,
        "factor": factor,
        "original_length": original_length,
        "base": base,
        "unit": unit,
    }
    field_settings = {key: value for key, value in settings.items() if method == "clex" and key in FIELD_SETTINGS}
    own = {key: value for key, value in settings.items() if key not in field_settings}
    inverse_frequencies(head_dim=rotary.head_dim, **shared, **own)  # refuses what it does not know
    if given:  # the checkpoint may hold frequencies that are extended (ESM saves them)
        for table in tables:
            table.write(torch.from_numpy(rotary.theta), table.attention_factor)
    undo_attention = None
    if attention is not None:
        settings["attention"] = attention
        chosen = {"window": None, **attention}
        undo_attention = install(model, lambda: tables[0].frequencies, original_length, **chosen)
    extension = Extension(model, tables, rotary, {**shared, **settings})
    extension.undo_attention = undo_attention
    for table in tables:
        table.attach(extension)
    extension._write()
    model.__dict__["glmflow_extension"] = extension
    _note_in_config(model, dict(extension.settings))
    return extension


def reapply(model: nn.Module, settings: dict, weights: Mapping[str, Tensor] | None = None) -> Extension:
    """Extend a freshly loaded model as its checkpoint was, learned part included.

    Parameters
    ----------
    model
        The model with its weights loaded (those of ``extension_field`` left out).
    settings
        ``Extension.settings`` of the saved model (``config.extension``).
    weights
        The checkpoint's tensors by name; needed where the method has a learned part (CLEX).

    Raises
    ------
    InputError
        Where the learned part is not among the weights.
    """
    extension = extend(model, **settings)
    if extension.field is not None:
        learned = {
            name.partition(f"{FIELD}.")[2]: tensor for name, tensor in (weights or {}).items() if f"{FIELD}." in name
        }
        if set(learned) != set(extension.field.state_dict()):
            raise InputError(
                f"the checkpoint lacks the learned frequencies of '{settings['method']}'",
                fix=f"Its weights should hold {FIELD}.up.weight and {FIELD}.down.weight: save it again.",
            )
        extension.field.load_state_dict(learned)
        extension.set_scale(None)
    return extension


def extension_of(model: nn.Module) -> Extension | None:
    """Return the extension at work in `model` or a module inside it (a LoRA wrapper, say), or None."""
    found = (module.__dict__.get("glmflow_extension") for module in model.modules())
    return next((extension for extension in found if extension is not None), None)


def _note_in_config(model: nn.Module, settings: dict | None) -> None:
    """Put the extension's settings where the model's checkpoint will hold them (None: take them out)."""
    config = getattr(model, "config", None)
    entries = config if isinstance(config, dict) else vars(config) if config is not None else {}
    entries.pop("extension", None)
    if settings is not None:
        entries["extension"] = settings


def _check_static(table: RotaryTable) -> None:
    """Refuse a transformers module that computes its frequencies again in every forward pass."""
    types_used = getattr(table.module, "rope_type", "")
    for rope_type in types_used.values() if isinstance(types_used, dict) else [types_used]:
        if "dynamic" in str(rope_type) or rope_type == "longrope":
            raise InputError(
                f"rotary module '{table.name}' is extended by its own configuration ({rope_type})",
                fix="Load the checkpoint with rope_type default.",
            )


def _geometric_series(table: RotaryTable) -> tuple[float, float]:
    """Return base and unit of a table's frequencies ``unit * base ** (-2 d / head_dim)``."""
    theta = table.frequencies.detach().double().cpu().numpy()
    unit = float(theta[0])
    pairs = theta.size
    base = float((theta[0] / theta[-1]) ** (pairs / (pairs - 1)))
    base, unit = _rounded(base), 1 / _rounded(1 / unit)
    if not np.allclose(theta, Rotary(2 * pairs, base, 1, unit).theta, rtol=1e-4, atol=0):
        raise InputError(
            f"the frequencies of rotary module '{table.name}' are no geometric series (extended already?)",
            fix="Load the checkpoint without its extension, or give base (and unit).",
        )
    return base, unit


def _rounded(number: float) -> float:
    """Return the number of four digits that float32 cannot tell from this one, if there is one."""
    short = float(f"{number:.4g}")
    return short if math.isclose(number, short, rel_tol=1e-6) else number


def _input_length(name: str, args: tuple, kwargs: dict) -> int:
    """Return how many positions a rotary module is called for.

    One more than the largest of the positions it is given; a length that it is given; else that of its states
    ``[B, L, ...]``, which are at 0, 1, 2 and so on.
    """
    given = [kwargs["position_ids"]] if kwargs.get("position_ids") is not None else [*args[1:], *kwargs.values(), *args]
    for value in given:
        if isinstance(value, Tensor) and value.ndim <= 2:
            return math.floor(value.max().item()) + 1
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    if args and isinstance(args[0], Tensor):
        return args[0].shape[1]
    raise InputError(
        f"rotary module '{name}' is called without positions, length or states, one of which this method needs",
        fix="Take a method whose frequencies are fixed.",
    )
