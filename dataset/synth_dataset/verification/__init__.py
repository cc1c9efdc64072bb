"""Verification: datasets and exports compared with what their documents say of them."""
