"""Interface between the operator and the pods of its Jobs: names, input, batches, termination messages."""
