"""Datasets on disk: store, manifests, tables, formats, quality gates, gallery. No bpy, no Kubernetes."""
