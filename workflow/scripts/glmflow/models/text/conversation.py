"""Conversations as text, token ids and labels: exactly as published, so that published weights read what they were trained on.

The layout is ChatML as Qwen3 has it: turns between `<|im_start|>` and `<|im_end|>`, reasoning between `<think>` and
`</think>`. An allele is `<|dna_start|><|dna_pad|><|dna_end|>`, whose pad is repeated for every token of the allele.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

START, END = "<|im_start|>", "<|im_end|>"
DNA_START, DNA_PAD, DNA_END = "<|dna_start|>", "<|dna_pad|>", "<|dna_end|>"
DNA_TOKENS = (DNA_START, DNA_PAD, DNA_END)
ASSISTANT = f"{START}assistant\n"
EMPTY_THOUGHT = "<think>\n\n</think>\n\n"
IGNORED = -100
"""Label of a token that is not learned."""

Encode = Callable[[str], list[int]]


class Encoded(NamedTuple):
    """Conversations as a batch, padded on the left: lists of `[rows][tokens]`; `labels` are `IGNORED` outside of answers."""

    input_ids: list[list[int]]
    attention_mask: list[list[int]]
    labels: list[list[int]]


def rendered(
    messages: Sequence[Mapping[str, Any]],
    add_generation_prompt: bool = False,
    enable_thinking: bool = True,
    continue_final_message: bool = False,
    add_dna_id: bool = False,
) -> str:
    """Return a conversation as text.

    Parameters
    ----------
    messages
        `role` and `content`: text, or a list of `{type: dna}` and `{type: text, text: ...}`; an answer may have
        `reasoning_content`.
    add_generation_prompt
        End where the answer begins; without `enable_thinking` behind an empty thought.
    continue_final_message
        Leave out the end of the last turn, as the published training data do: its end is then never learned.
    add_dna_id
        Write `DNA Sequence1:` before the first allele, and so on.
    """
    text, alleles = "", 0
    for place, message in enumerate(messages):
        content = message["content"]
        pieces = [{"type": "text", "text": content}] if isinstance(content, str) else content
        body = ""
        for piece in pieces:
            if piece["type"] == "dna":
                alleles += 1
                body += (f"DNA Sequence{alleles}:" if add_dna_id else "") + "".join(DNA_TOKENS)
            else:
                body += piece["text"]
        if message["role"] == "assistant":
            last = place == len(messages) - 1
            thought = str(message.get("reasoning_content") or "").strip("\n")
            if last or thought:
                body = f"<think>\n{thought}\n</think>\n\n" + body.lstrip("\n")
        text += f"{START}{message['role']}\n{body}"
        if not (continue_final_message and place == len(messages) - 1):
            text += f"{END}\n"
    if add_generation_prompt:
        text += ASSISTANT + ("" if enable_thinking else EMPTY_THOUGHT)
    return text


def question_text(question: str, alleles: int = 2) -> str:
    """Return a question behind its alleles, up to where the answer begins."""
    content = [{"type": "dna"}] * alleles + [{"type": "text", "text": question.strip()}]
    return rendered([{"role": "user", "content": content}], add_generation_prompt=True)


def answer_text(answer: str, reasoning: str | None = None, ended: bool = True) -> str:
    """Return an answer behind its reasoning, with the end that has to be learned."""
    thought = "" if reasoning is None else reasoning.strip("\n")
    return f"<think>\n{thought}\n</think>\n\nAnswer: {answer}" + (END if ended else "")


def written_alleles(question: str, ref: str, alt: str) -> str:
    """Return a question of a model that is given its alleles as letters."""
    return f"Reference sequence: {ref}\nVariant sequence: {alt}\nQuestion:  {question}"


def with_pads(text: str, counts: Sequence[int]) -> str:
    """Return a conversation whose pads are repeated, one number for each allele in turn."""
    parts = text.split(DNA_PAD)
    if len(parts) != len(counts) + 1:
        raise ValueError(f"{len(parts) - 1} alleles in the text, {len(counts)} numbers of tokens")
    return "".join(part + DNA_PAD * count for part, count in zip(parts, [*counts, 0]))


def learned(ids: Sequence[int], marker: Sequence[int], end: int) -> list[int]:
    """Return labels: the ids between a marker and the next end, or the end of the row; `IGNORED` elsewhere.

    The end is not among them, and an end inside of a thought ends the labels: so published models are trained.
    """
    labels = [IGNORED] * len(ids)
    place, marker = 0, list(marker)
    while place <= len(ids) - len(marker):
        if list(ids[place : place + len(marker)]) != marker:
            place += 1
            continue
        place += len(marker)
        while place < len(ids) and ids[place] != end:
            labels[place] = ids[place]
            place += 1
    return labels


def encoded(
    texts: Sequence[str], counts: Sequence[Sequence[int]], encode: Encode, end: int, longest: int | None = None
) -> Encoded:
    """Return conversations as a batch, as the published code makes it.

    Parameters
    ----------
    counts
        Tokens of each allele of each conversation.
    end
        Id of `<|im_end|>`, which pads on the left too.
    longest
        Tokens that are kept of a conversation from its left, as published (it cuts answers off); None keeps all.
    """
    rows = [encode(with_pads(text, own))[:longest] for text, own in zip(texts, counts)]
    width, marker = max(map(len, rows)), encode(ASSISTANT)
    pads = [width - len(row) for row in rows]
    return Encoded(
        [[end] * pad + row for pad, row in zip(pads, rows)],
        [[0] * pad + [1] * len(row) for pad, row in zip(pads, rows)],
        [[IGNORED] * pad + learned(row, marker, end) for pad, row in zip(pads, rows)],
    )
