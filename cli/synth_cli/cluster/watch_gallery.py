"""Live gallery of a sweep on a cluster, served on this machine from the store of the sweep."""

from __future__ import annotations

from typing import Final

from synth_cli.cluster.connection import connect_for_sweep
from synth_cli.cluster.fetch_gallery import hint_at_endpoint
from synth_cli.cluster.store_access import open_sweep_store
from synth_cli.local.gallery_server import serve_gallery
from synth_dataset.attempts.live_gallery import LiveGallery

LOOK_SECONDS: Final = 5.0
"""Time between two looks at the store: each lists a folder of it or asks for the missing runs."""
_ABSENCE: Final = "there is no such folder yet, call again when synth render has begun to write it"


def watch_sweep(name: str, namespace: str | None, context: str | None, endpoint: str | None, port: int) -> None:
    """Serve the gallery of a sweep until Ctrl-C. Raises InputError while nothing is planned, StoreError."""
    cluster = connect_for_sweep(name, context, namespace, _ABSENCE)
    sweep = cluster.read_sweep(name)
    with open_sweep_store(cluster, sweep, endpoint) as store, hint_at_endpoint(endpoint):
        serve_gallery(LiveGallery(store, sweep.namespace, sweep.name, LOOK_SECONDS), port)
