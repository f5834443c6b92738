"""What is read off the states of a backbone, a module a target: head, loss and validation metrics."""
