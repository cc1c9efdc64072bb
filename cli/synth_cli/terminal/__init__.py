"""Text, tables and progress on standard output and standard error."""
