"""Measurement techniques: scene and label buffers in, picture out."""
