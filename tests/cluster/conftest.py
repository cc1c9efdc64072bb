from __future__ import annotations

import subprocess
from secrets import token_hex
from typing import TYPE_CHECKING, cast

import pytest
from harness.cluster import running_cluster
from harness.existing import ExistingCluster, existing_kubeconfig
from harness.images import OPERATOR, RENDERER, make_project_images, make_small_images
from harness.lab import BUCKET, Lab, Store, install_operator
from servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster


@pytest.fixture(scope="session")
def bare_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Kubernetes with the project's images on its node."""
    if kubeconfig := existing_kubeconfig():
        yield cast("Cluster", ExistingCluster(kubeconfig, tmp_path_factory.mktemp("existing")))
        return
    subprocess.run([ROOT / "tools" / "cluster-dependencies"], check=True)
    make_small_images()
    make_project_images()
    with running_cluster([OPERATOR, RENDERER]) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def store(bare_cluster: Cluster) -> Store:
    store = Store(bare_cluster)
    if not existing_kubeconfig():
        store.start()
    if not store.client.bucket_exists(BUCKET):
        store.client.make_bucket(BUCKET)
    return store


@pytest.fixture(scope="session")
def cluster(bare_cluster: Cluster) -> Cluster:
    """With the operator installed."""
    install_operator(bare_cluster)
    return bare_cluster


@pytest.fixture
def lab(cluster: Cluster, store: Store) -> Lab:
    lab = Lab(cluster, store, f"lab-{token_hex(3)}")
    lab.open()
    return lab
