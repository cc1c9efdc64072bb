"""Exports: datasets written again in the layouts that trainers read."""
