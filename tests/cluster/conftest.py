from __future__ import annotations

import subprocess
from secrets import token_hex
from typing import TYPE_CHECKING, cast

import pytest
from harness.cluster import running_cluster
from harness.existing import ExistingCluster, find_existing_kubeconfig
from harness.images import OPERATOR, RENDERER, build_base_images, build_project_images
from harness.node_store import BUCKET, NodeStore
from harness.operator_chart import install_operator
from harness.sweep_namespace import SweepNamespace
from servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster


@pytest.fixture(scope="session")
def bare_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Kubernetes with the project's images on its node; one for all tests of a pytest worker."""
    if kubeconfig := find_existing_kubeconfig():
        yield cast("Cluster", ExistingCluster(kubeconfig, tmp_path_factory.mktemp("existing")))
        return
    subprocess.run([ROOT / "tools" / "cluster-dependencies"], check=True)
    build_base_images()
    build_project_images()
    with running_cluster([OPERATOR, RENDERER]) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def store(bare_cluster: Cluster) -> NodeStore:
    store = NodeStore(bare_cluster)
    if not find_existing_kubeconfig():
        store.start()
    if not store.client.bucket_exists(BUCKET):
        store.client.make_bucket(BUCKET)
    return store


@pytest.fixture(scope="session")
def cluster(bare_cluster: Cluster) -> Cluster:
    """The cluster with the operator installed."""
    install_operator(bare_cluster)
    return bare_cluster


@pytest.fixture
def namespace(cluster: Cluster, store: NodeStore) -> SweepNamespace:
    created = SweepNamespace(cluster, store, f"sweeps-{token_hex(3)}")
    created.create()
    return created
