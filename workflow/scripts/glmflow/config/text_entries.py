"""Text models among the `models` of a study: heads name them by their labels, in place of the name or folder itself.

One that is pretrained here becomes an entry of `texts`, and its label stands for the folder that it is written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glmflow.errors import InputError

from .text_blocks import made_text

KEY = "text"


def with_text_models(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose heads name text models themselves, and whose `models` are those that read DNA.

    `models: {qwen: {text: qwen3-1.7b}}` and `head: {kind: text_answers, text: qwen}`; `{words: {text: {questions: TASK}}}` is
    pretrained here.

    Raises
    ------
    InputError
        No head names such a model.
    """
    models, adaptations = raw.get("models"), raw.get("adaptations")
    if not isinstance(models, Mapping):
        return dict(raw)
    texts = {label: block[KEY] for label, block in models.items() if isinstance(block, Mapping) and set(block) == {KEY}}
    if not texts:
        return dict(raw)
    made = {label: text for label, text in texts.items() if isinstance(text, Mapping)}
    texts |= {label: made_text(f"results/{raw.get('study')}", label) for label in made}
    named: set[str] = set()

    def of(block: Any) -> Any:
        head = block.get("head") if isinstance(block, Mapping) else None
        label = head.get(KEY) if isinstance(head, Mapping) else None
        if not isinstance(label, str) or label not in texts:
            return block
        named.add(label)
        return {**block, "head": {**head, KEY: texts[label]}}

    if isinstance(adaptations, Mapping):
        adaptations = {label: of(block) for label, block in adaptations.items()}
    for label in texts:
        if label not in named:
            what = "a text model that no head names"
            raise InputError(what, where=f"models.{label}", fix=f"Say head: {{kind: text_answers, text: {label}}}.")
    left = {label: block for label, block in models.items() if label not in texts}
    raw = {**raw, **({"texts": {**raw.get("texts", {}), **made}} if made else {})}
    return {**raw, "models": left, **({"adaptations": adaptations} if adaptations is not None else {})}
