"""What is predicted from what: one file a task, each with `examples` and `score`; none knows a model."""
