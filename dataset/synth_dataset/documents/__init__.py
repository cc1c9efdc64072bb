"""The documents and files of a store, one format each, and their paths. No store is opened here."""
