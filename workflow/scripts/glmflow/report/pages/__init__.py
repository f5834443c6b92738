"""What the report says of each kind of task: a module a kind, found by its name (see `glmflow.report.kinds`)."""
