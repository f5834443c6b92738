"""What edits of a sequence do to a language model's view of it: likelihoods and distances, without training.

An edit of the reference (`glmflow.genome.edits`) becomes two windows of equal length (`placement`), two windows become
token ids (`token_rows`), and scores compare what a model makes of the two (`masked_scores`, `paired_scores`). What
cannot be scored leaves with a reason (`glmflow.genome.reasons`), never with a stop. The command (`glmflow.apply.variants`)
and tasks with labelled alleles (`glmflow.training.inputs`) score by it.

Modules
-------
``placement``         where a window lies, and its bases with and without the edit.
``token_rows``        windows as token ids, for every tokenizer.
``likelihood_model``  a model as scoring uses it: batches, log-probabilities in float32.
``score_catalogue``   the scores, what they need, and what is taken by default.
``masked_scores``     `llr`, `llr_marginal`, `pll`: tokens masked in the reference window.
``paired_readings``   both windows read whole; causal models go on from where they differ.
``paired_scores``     `ll`, `ll_flank`, `next`, `flank`, `influence`, distances.
``scored_edits``      all of it for a batch of edits: the engine.
``score_runs``        the engine over a whole file, in parts that a killed run resumes from.
``null_scores``       scores of neutral sites and of random indels, to compare with.
``pass_plan``         how many passes a run makes, and how long they take.
"""
