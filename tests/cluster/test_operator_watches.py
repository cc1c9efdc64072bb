"""The operator's watches on a real API server, also when the server sends nothing."""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from api_server import ApiServer, api_server
from controllers import build_controller
from kubernetes import client, config
from proxies import proxy
from waiting import SECONDS, wait_until

from synth_api.jobs.messages import BatchMessage, write_message
from synth_api.jobs.names import JOB_LABEL, SHARD_LABEL, SWEEP_LABEL
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.version import ENGINE_VERSION
from synth_operator.kube.api import Resource, find_by_name
from synth_operator.kube.client import KubernetesApi
from synth_operator.watch.kopf_setup import ObjectKey
from synth_operator.watch.watches import NotWatchingError, Watches

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
INDEX = "batch.kubernetes.io/job-completion-index"
RESTARTS = 5
"""Restarts of the watches; each could show an incomplete snapshot."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all")
        running.kubectl("create", "serviceaccount", "default")
        yield running


class Items:
    """A queue that records what the watches add."""

    def __init__(self) -> None:
        self.seen: list[ObjectKey] = []
        self._changed = threading.Condition()

    def add(self, item: ObjectKey, _delay: float) -> None:
        with self._changed:
            self.seen.append(item)
            self._changed.notify_all()

    def wait_for(self, name: str) -> None:
        with self._changed:
            found = self._changed.wait_for(lambda: any(item.name == name for item in self.seen), SECONDS)
        assert found, f"no event about {name}; seen: {self.seen}"


def load_connection(server: ApiServer) -> client.Configuration:
    connection = client.Configuration()
    config.load_kube_config(str(server.kubeconfig), client_configuration=connection)
    return connection


@contextmanager
def run_watches(
    connection: client.Configuration, *namespaces: str, seconds: int = 60
) -> Iterator[tuple[Watches, Items]]:
    items, read = Items(), partial(find_by_name, KubernetesApi(connection))
    watches = Watches(connection, namespaces, items.add, lambda _resource: None, read, seconds)
    watches.start()
    try:
        yield watches, items
    finally:
        watches.stop()


def build_sweep(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    spec = {"recipeRef": {"name": f"recipe-of-{name}"}}
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthSweep", "metadata": metadata, "spec": spec}


def build_recipe(name: str) -> dict[str, Any]:
    metadata = {"name": f"recipe-of-{name}", "namespace": "default"}
    recipe = {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthRecipe", "metadata": metadata}
    return {**recipe, "spec": {"recipe": {}}}


def build_pod_template(labels: dict[str, str]) -> dict[str, Any]:
    container = {"name": "render", "image": "none"}
    return {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}


def build_job(name: str, labels: dict[str, str]) -> dict[str, Any]:
    owner = build_controller(Resource.SWEEPS, labels.get(SWEEP_LABEL, "else"), "uid-of-its-sweep")
    metadata = {"name": name, "namespace": "default", "labels": labels, "ownerReferences": [owner]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": build_pod_template(labels)},
    }


def test_existing_and_new_objects_are_events_and_in_snapshots(server: ApiServer) -> None:
    server.apply(build_sweep("early"))
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("early")
        server.apply(build_sweep("late"))
        items.wait_for("late")
        server.apply(build_job("late-p", {SWEEP_LABEL: "late", JOB_LABEL: "plan"}))
        wait_until(lambda: len(watches.take_snapshot("default", "late").jobs) == 1, "the Job was not seen")

        assert {"early", "late"} <= {known.name for known in watches.list_sweeps()}
        assert watches.take_snapshot("default", "early").jobs == ()
        assert watches.take_snapshot("default", "none").sweep is None


def test_deleted_objects_leave_the_snapshots(server: ApiServer) -> None:
    server.apply(build_sweep("gone"))
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("gone")
        server.kubectl("delete", "synthsweep", "gone")
        wait_until(lambda: watches.take_snapshot("default", "gone").sweep is None, "the sweep is still known")


def test_a_pods_message_outlives_the_pod_but_not_its_job(server: ApiServer) -> None:
    labels, key = {SWEEP_LABEL: "talking", JOB_LABEL: "render"}, ("default", "talking")
    server.apply(build_sweep("talking"))
    server.apply(build_job("talking-r0", labels))
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("talking")
        uid = server.kubectl("get", "job", "talking-r0", "--output=jsonpath={.metadata.uid}").strip()
        pod = {"apiVersion": "v1", "kind": "Pod", **build_pod_template(labels)}
        owner = build_controller(Resource.JOBS, "talking-r0", uid)
        pod["metadata"] |= {"name": "talker", "namespace": "default", "ownerReferences": [owner]}
        server.apply(pod)
        message = BatchMessage(batch=0, size=12, succeeded=6)
        end_pod(server, "talker", message)
        server.kubectl("delete", "pod", "talker", "--force", "--grace-period=0")
        wait_until(lambda: not watches._cache.list_children(key)[1], "the pod is not gone")

        wait_until(
            lambda: [pod.message for pod in watches.take_snapshot(*key).pods] == [message],
            "its message is gone too",
        )
        server.kubectl("delete", "job", "talking-r0")
        wait_until(lambda: watches.take_snapshot(*key).pods == (), "its message outlives its Job")


def end_pod(server: ApiServer, pod: str, message: BatchMessage) -> None:
    """Write the status of a pod that SIGTERM has ended, as a kubelet does."""
    terminated = {"exitCode": 143, "message": write_message(message).decode()}
    container = {"name": "render", "image": "none", "imageID": "", "ready": False, "restartCount": 0}
    status = {"phase": "Failed", "containerStatuses": [{**container, "state": {"terminated": terminated}}]}
    server.kubectl(
        "patch", "pod", pod, "--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}"
    )


def test_a_change_of_a_recipe_is_an_event_of_its_sweeps(server: ApiServer) -> None:
    server.apply(build_sweep("reader"))
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("reader")
        items.seen.clear()
        server.apply(build_recipe("reader"))
        items.wait_for("reader")

        assert ObjectKey(Resource.RECIPES, "default", "recipe-of-reader") in items.seen
        assert watches.take_snapshot("default", "reader").recipe is not None


def test_a_finished_sweep_is_settled_until_it_or_its_recipe_changes(server: ApiServer) -> None:
    planned, other = ({**build_recipe("settled"), "spec": {"recipe": {"number": number}}} for number in (1, 2))
    server.apply(planned)
    server.apply(build_sweep("settled"))
    place, key = ("patch", "synthsweep", "settled", "--type=merge"), ("default", "settled")
    status = {
        "observedGeneration": 1,
        "completionTime": "2026-05-01T12:00:00Z",
        "engineVersion": ENGINE_VERSION,
        "recipeDigest": RecipeSpec(recipe={"number": 1}).digest,
    }
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("settled")
        assert not watches.is_settled(*key)
        server.kubectl(*place, "--subresource=status", f"--patch={json.dumps({'status': status})}")
        wait_until(lambda: watches.is_settled(*key), "a finished sweep is not settled")
        assert "settled" not in watches.list_names().get("default", ())

        server.apply(build_job("settled-p", {SWEEP_LABEL: "settled", JOB_LABEL: "plan"}))
        wait_until(lambda: not watches.is_settled(*key), "a Job of it is not seen")
        server.kubectl("delete", "job", "settled-p")
        wait_until(lambda: watches.is_settled(*key), "the Job is not gone")
        server.apply(other)
        wait_until(lambda: not watches.is_settled(*key), "another recipe is not seen")
        server.apply(planned)
        wait_until(lambda: watches.is_settled(*key), "the recipe is not seen")
        server.kubectl(*place, '--patch={"spec":{"suspend":true}}')
        wait_until(lambda: not watches.is_settled(*key), "an edit is not seen")


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_recipe_that_is_too_large_for_the_cache_is_found_with_the_rights_of_the_operator(server: ApiServer) -> None:
    numbers = random.Random(1)
    tree = {f"key-{key}": [numbers.random() for _ in range(100)] for key in range(50)}
    server.apply({**build_recipe("large"), "spec": {"recipe": tree}})
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("recipe-of-large")
        packed = watches._cache._packed[Resource.RECIPES]["default", "recipe-of-large"]
        found = watches.find_recipe("default", "recipe-of-large")

        assert packed.spec is None
        assert found
        assert found.spec.recipe == tree


def test_foreign_jobs_and_pods_are_no_events(server: ApiServer) -> None:
    with run_watches(load_connection(server)) as (_, items):
        server.apply(build_job("foreign", {"app": "else"}))
        pod = {"apiVersion": "v1", "kind": "Pod", **build_pod_template({"app": "else"})}
        pod["metadata"] = {"name": "foreign-pod", "namespace": "default", "labels": {"app": "else"}}
        server.apply(pod)
        # The server sends events in order: what comes after the foreign ones shows that these were not sent.
        server.apply(build_job("ours", {SWEEP_LABEL: "someone", JOB_LABEL: "plan"}))
        items.wait_for("someone")

        assert not [item for item in items.seen if "foreign" in item.name]


def test_objects_that_cannot_be_read_or_belong_to_nobody_are_not_in_snapshots(server: ApiServer) -> None:
    labels, key = {SWEEP_LABEL: "careful", JOB_LABEL: "render"}, ("default", "careful")
    nobodys = build_job("careful-a", labels)
    del nobodys["metadata"]["ownerReferences"]
    server.apply(nobodys)
    server.apply(build_sweep("careful"))
    server.apply(build_job("careful-b", {SWEEP_LABEL: "careful"}))
    server.apply(build_job("careful-c", {**labels, SHARD_LABEL: "first"}))
    pod = {"apiVersion": "v1", "kind": "Pod", **build_pod_template(labels)}
    pod["metadata"] = {"name": "careful-pod", "namespace": "default", "labels": labels, "annotations": {INDEX: "first"}}
    server.apply(pod)
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("careful")
        server.apply(build_job("careful-r0", labels))
        wait_until(lambda: len(watches.take_snapshot(*key).jobs) == 1, "the sweep's own Job was not seen")

        snapshot = watches.take_snapshot(*key)
        assert ([job.name for job in snapshot.jobs], snapshot.pods) == (["careful-r0"], ())


def test_a_recipe_as_deep_as_the_api_takes_it_ends_no_watch(server: ApiServer) -> None:
    depth = 9_900
    tree = '{"a":' * depth + "1" + "}" * depth
    body = json.dumps({**build_recipe("deep"), "spec": {"recipe": "TREE"}}).replace('"TREE"', tree)
    place = f"/apis/synth-operator.io/v1alpha1/namespaces/default/{Resource.RECIPES.plural}"
    with run_watches(load_connection(server)) as (watches, items):
        server.kubectl("create", f"--raw={place}", "--filename=-", stdin=body)
        items.wait_for("recipe-of-deep")
        server.apply(build_sweep("after-deep"))
        items.wait_for("after-deep")

        recipe = watches.find_recipe("default", "recipe-of-deep")
        assert recipe is not None
        assert recipe.problem == "recipe.a.a.a: is nested more than 64 deep; flatten it"
        assert watches.problem == ""
    server.kubectl("delete", "synthrecipe", "recipe-of-deep")


def test_only_the_listed_namespaces_are_watched(server: ApiServer) -> None:
    server.kubectl("create", "namespace", "elsewhere")
    server.apply(build_sweep("here"))
    elsewhere = build_sweep("there")
    elsewhere["metadata"]["namespace"] = "elsewhere"
    server.apply(elsewhere)
    with run_watches(load_connection(server), "default") as (watches, items):
        items.wait_for("here")

        assert "there" not in {known.name for known in watches.list_sweeps()}


class Valve:
    """Filter of the server's answers that can drop all data."""

    def __init__(self) -> None:
        self.shut = False

    def __call__(self, data: bytes) -> bytes:
        return b"" if self.shut else data


def test_stale_watches_are_noticed_although_connections_stay_open(server: ApiServer) -> None:
    direct, valve = load_connection(server), Valve()
    with proxy(urlsplit(direct.host).netloc, down=valve) as endpoint:
        direct.host = f"https://{endpoint}"
        with run_watches(direct, seconds=2) as (watches, items):
            wait_until(lambda: bool(watches.list_sweeps()), "nothing was listed")
            valve.shut = True
            wait_until(lambda: "is stale" in watches.problem, "the silence was not noticed")
            valve.shut = False
            server.apply(build_sweep("after"))
            items.wait_for("after")
            wait_until(lambda: watches.problem == "", "the watches are still stale")


def test_watches_survive_a_broken_connection(server: ApiServer) -> None:
    direct = load_connection(server)
    through, broken = direct.host, threading.Event()
    with proxy(urlsplit(through).netloc, down=lambda data: None if broken.is_set() else data) as endpoint:
        direct.host = f"https://{endpoint}"
        with run_watches(direct, seconds=2) as (watches, items):
            wait_until(lambda: bool(watches.list_sweeps()), "nothing was listed")
            broken.set()
            server.apply(build_sweep("meanwhile"))
            broken.clear()
            items.wait_for("meanwhile")


def test_there_are_no_snapshots_before_all_lists_are_read(server: ApiServer) -> None:
    watches = Watches(load_connection(server), (), lambda _item, _delay: None, lambda _resource: None, lambda *_: None)

    with pytest.raises(NotWatchingError):
        watches.take_snapshot("default", "early")
    assert watches.list_sweeps() == ()


def test_a_new_list_rebuilds_the_indexes(server: ApiServer) -> None:
    server.apply(build_sweep("kept"))
    server.apply(build_sweep("lost"))
    with run_watches(load_connection(server)) as (watches, items):
        items.wait_for("kept")
        items.seen.clear()
        # kopf lists again when the resource version of a watch has expired.
        watches.read_page(Resource.SWEEPS.path(""), True, b"")
        items.wait_for("kept")

        assert "kept" in {known.name for known in watches.list_sweeps()}


def test_a_snapshot_is_complete_or_missing_while_indexes_are_rebuilt(server: ApiServer) -> None:
    server.apply(build_recipe("whole"))
    server.apply(build_sweep("whole"))
    server.apply(build_job("whole-p", {SWEEP_LABEL: "whole", JOB_LABEL: "plan"}))

    def is_answered(watches: Watches) -> bool:
        try:
            snapshot = watches.take_snapshot("default", "whole")
        except NotWatchingError:
            return False
        assert (snapshot.sweep is None, snapshot.recipe is None, len(snapshot.jobs)) == (False, False, 1)
        return True

    with run_watches(load_connection(server)) as (watches, items):
        for _ in range(RESTARTS):
            items.wait_for("whole")
            items.seen.clear()
            watches.read_page(Resource.SWEEPS.path(""), True, b"")
            while not any(item.name == "whole" for item in items.seen):
                is_answered(watches)
        wait_until(lambda: is_answered(watches), "no snapshot came")
