"""What the operator and the pods of its Jobs say to each other: names, input, batches, termination messages."""
