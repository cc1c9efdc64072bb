"""Text, tables and progress bars on stdout and stderr."""
