"""Datasets on disk: store, manifests, tables, formats, quality gates, gallery. No bpy, no Kubernetes."""

import os

# Arrow's other allocators keep what is free: a commit of 100,000 runs holds 35 MB more with them, and takes as long.
# libarrow looks once, when pyarrow is first imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
