"""One module per command; each defines its click command as `command`."""
