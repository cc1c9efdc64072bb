"""Formats and paths of the documents and files of a store, one module per format; no store is opened here."""
