"""What the report says of tasks that ask questions about a pair of alleles."""

from __future__ import annotations

from glmflow.report.classes.class_words import METRICS as CLASS_METRICS
from glmflow.report.questions.question_page import question_page
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words

HEADLINE = ("accuracy", "mcc")
LINK = "Questions"
PROTOCOLS = (
    "official: texts scored as the originals do, where any text that contains the truth is right. strict: the class that is "
    "ranked first by its probability, and of texts the class that they name."
)
LEVELS = {
    "example": Level("Per question", "", "Over the questions of the split.", "questions"),
    "reading": Level("Does it use the DNA?", "", "The same questions with other alleles.", "questions"),
    "texts": Level("Generated texts", "", "What was written, not ranked.", "questions"),
}
METRICS = CLASS_METRICS | {
    "calibrated_log_loss": Words(
        "log loss, calibrated", "lower", "example",
        "Mean negative log probability of the truth (nats) at the temperature that is best on validation questions.",
    ),
    "corrected_accuracy": Words(
        "accuracy, corrected", "higher", "example",
        "Accuracy where each answer loses what it has behind an empty question and the mean of all alleles.",
    ),
    "corrected_log_loss": Words(
        "log loss, corrected", "lower", "example", "Mean negative log probability of the truth (nats) of these answers.",
    ),
    "risk_area": Words(
        "risk over coverage", "lower", "example",
        "Mean error among the surest answers, over all shares of the questions answered. 0 is best.",
    ),
    "coverage_at_5": Words(
        "answered at 5 % error", "higher", "example",
        "Share of the test questions that are answered at the threshold that keeps the error on validation at 5 %.",
    ),
    "dna_lead": Words(
        "lead over other pairs", "higher", "reading",
        "Accuracy less that with the alleles of other questions, with its interval over groups. At 0 the DNA is not used.",
    ),
    "variant_lead": Words(
        "lead over no change", "higher", "reading",
        "Accuracy less that with the reference in the variant's place. At 0 what differs is not read.",
    ),
    "generated_accuracy": Words("accuracy of texts", "higher", "texts", "Share of the texts that name the true class."),
    "generated_f1_macro": Words("F1 of texts", "higher", "texts", "Mean F1 of the true classes."),
    "generated_precision_macro": Words("precision of texts", "higher", "texts", "Mean precision of the true classes."),
    "listed_accuracy": Words(
        "accuracy held to the list", "higher", "texts",
        "Accuracy of answers written token by token where no token may lead off the list. The ranking looks ahead, this does not.",
    ),
    "listed_precision_macro": Words("precision held to the list", "higher", "texts", "The same for the mean precision."),
    "listed_f1_macro": Words("F1 held to the list", "higher", "texts", "The same for the mean F1 of the true classes."),
    "drawn_accuracy": Words(
        "accuracy of drawn texts", "higher", "texts",
        "Mean over texts that are drawn (temperature 0.6, top_p 0.95, top_k 20); from the lowest draw to the highest.",
    ),
    "drawn_precision_macro": Words("precision of drawn texts", "higher", "texts", "The same for the mean precision."),
    "drawn_f1_macro": Words("F1 of drawn texts", "higher", "texts", "The same for the mean F1 of the true classes."),
    "thought_accuracy": Words(
        "accuracy behind thoughts", "higher", "example",
        "Accuracy of the ranking behind the model's own thoughts, not an empty one.",
    ),
    "thought_log_loss": Words(
        "log loss behind thoughts", "lower", "example", "Mean negative log probability of the truth (nats) of that ranking.",
    ),
    "thoughts_ended": Words("thoughts that end", "higher", "texts", "Share of the texts whose thoughts come to an end."),
    "no_answer": Words("no answer", "lower", "texts", "Share of the texts without an answer."),
    "outside_list": Words("outside the list", "lower", "texts", "Share of the texts whose answer is no class."),
}  # fmt: skip


def page(study: Study, task: str) -> str:
    """Return the page of a task."""
    return question_page(study, task, "diagnosis.html")
