"""What the operator's watches hear from a real API server, and that they know when they hear nothing."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from api_server import ApiServer, api_server
from kubernetes import client, config
from proxies import proxy

from synth_api.jobs.messages import BatchMessage, write_message
from synth_api.jobs.names import JOB_LABEL, SWEEP_LABEL
from synth_operator.kube.api import Resource
from synth_operator.watch.handlers import ObjectKey
from synth_operator.watch.watches import NotWatchingError, Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
JOB_NAME = "batch.kubernetes.io/job-name"
SECONDS = 60.0
LIVES = 5
"""How often the watches begin anew: each time is another chance to see half of a sweep."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        running.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
        running.kubectl("wait", "--for=condition=Established", "crd", "--all")
        running.kubectl("create", "serviceaccount", "default")
        yield running


class Items:
    """What the watches put into the queue."""

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


def connection(server: ApiServer) -> client.Configuration:
    connection = client.Configuration()
    config.load_kube_config(str(server.kubeconfig), client_configuration=connection)
    return connection


@contextmanager
def watching(connection: client.Configuration, *namespaces: str, seconds: int = 60) -> Iterator[tuple[Watches, Items]]:
    items = Items()
    watches = Watches(connection, namespaces, items.add, lambda _resource: None, seconds)
    watches.start()
    try:
        yield watches, items
    finally:
        watches.stop()


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def sweep(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    spec = {"recipeRef": {"name": f"recipe-of-{name}"}}
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthSweep", "metadata": metadata, "spec": spec}


def recipe_of(name: str) -> dict[str, Any]:
    metadata = {"name": f"recipe-of-{name}", "namespace": "default"}
    recipe = {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthRecipe", "metadata": metadata}
    return {**recipe, "spec": {"recipe": {}}}


def pod_template(labels: dict[str, str]) -> dict[str, Any]:
    container = {"name": "work", "image": "none"}
    return {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}


def job(name: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": pod_template(labels)}}


def test_what_was_there_and_what_comes_is_heard_and_known(server: ApiServer) -> None:
    server.apply(sweep("early"))
    with watching(connection(server)) as (watches, items):
        items.wait_for("early")
        server.apply(sweep("late"))
        items.wait_for("late")
        server.apply(job("late-p", {SWEEP_LABEL: "late", JOB_LABEL: "plan"}))
        until(lambda: len(watches.snapshot("default", "late").jobs) == 1, "the Job was not seen")

        assert {"early", "late"} <= {known.name for known in watches.sweeps()}
        assert watches.snapshot("default", "early").jobs == ()
        assert watches.snapshot("default", "none").sweep is None


def test_what_is_deleted_is_forgotten(server: ApiServer) -> None:
    server.apply(sweep("gone"))
    with watching(connection(server)) as (watches, items):
        items.wait_for("gone")
        server.kubectl("delete", "synthsweep", "gone")
        until(lambda: watches.snapshot("default", "gone").sweep is None, "the sweep is still known")


def test_what_a_pod_said_outlives_it_but_not_its_job(server: ApiServer) -> None:
    labels, key = {SWEEP_LABEL: "talking", JOB_LABEL: "render"}, ("default", "talking")
    server.apply(sweep("talking"))
    server.apply(job("talking-r0", labels))
    with watching(connection(server)) as (watches, items):
        items.wait_for("talking")
        pod = {"apiVersion": "v1", "kind": "Pod", **pod_template({**labels, JOB_NAME: "talking-r0"})}
        pod["metadata"] |= {"name": "talker", "namespace": "default"}
        server.apply(pod)
        message = BatchMessage(batch=0, size=12, succeeded=6)
        end(server, "talker", message)
        server.kubectl("delete", "pod", "talker", "--force", "--grace-period=0")
        until(lambda: not watches._indexes[Resource.PODS.plural].get(key), "the pod is not gone")

        until(lambda: [pod.message for pod in watches.snapshot(*key).pods] == [message], "its message is gone as well")
        server.kubectl("delete", "job", "talking-r0")
        until(lambda: watches.snapshot(*key).pods == (), "its message outlives its Job")


def end(server: ApiServer, pod: str, message: BatchMessage) -> None:
    """As a kubelet ends a pod that was told to stop."""
    terminated = {"exitCode": 143, "message": write_message(message).decode()}
    container = {"name": "work", "image": "none", "imageID": "", "ready": False, "restartCount": 0}
    status = {"phase": "Failed", "containerStatuses": [{**container, "state": {"terminated": terminated}}]}
    server.kubectl(
        "patch", "pod", pod, "--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}"
    )


def test_a_change_of_a_recipe_is_news_for_the_sweeps_that_name_it(server: ApiServer) -> None:
    server.apply(sweep("reader"))
    with watching(connection(server)) as (watches, items):
        items.wait_for("reader")
        items.seen.clear()
        server.apply(recipe_of("reader"))
        items.wait_for("reader")

        assert ObjectKey(Resource.RECIPES, "default", "recipe-of-reader") in items.seen
        assert watches.snapshot("default", "reader").recipe is not None


def test_jobs_and_pods_of_others_are_no_event(server: ApiServer) -> None:
    with watching(connection(server)) as (_, items):
        server.apply(job("foreign", {"app": "else"}))
        pod = {"apiVersion": "v1", "kind": "Pod", **pod_template({"app": "else"})}
        pod["metadata"] = {"name": "foreign-pod", "namespace": "default", "labels": {"app": "else"}}
        server.apply(pod)
        # The server sends events in order: what comes after the foreign ones shows that these were not sent.
        server.apply(job("ours", {SWEEP_LABEL: "someone", JOB_LABEL: "plan"}))
        items.wait_for("someone")

        assert not [item for item in items.seen if "foreign" in item.name]


def test_only_the_listed_namespaces_are_watched(server: ApiServer) -> None:
    server.kubectl("create", "namespace", "elsewhere")
    server.apply(sweep("here"))
    elsewhere = sweep("there")
    elsewhere["metadata"]["namespace"] = "elsewhere"
    server.apply(elsewhere)
    with watching(connection(server), "default") as (watches, items):
        items.wait_for("here")

        assert "there" not in {known.name for known in watches.sweeps()}


class Valve:
    """What comes back from the server, or nothing of it."""

    def __init__(self) -> None:
        self.shut = False

    def __call__(self, data: bytes) -> bytes:
        return b"" if self.shut else data


def test_deaf_watches_are_noticed_although_connections_stand(server: ApiServer) -> None:
    direct, valve = connection(server), Valve()
    with proxy(urlsplit(direct.host).netloc, down=valve) as endpoint:
        direct.host = f"https://{endpoint}"
        with watching(direct, seconds=2) as (watches, items):
            until(lambda: bool(watches.sweeps()), "nothing was listed")
            valve.shut = True
            until(lambda: "nothing was heard from the watch of" in watches.problem, "the silence was not noticed")
            valve.shut = False
            server.apply(sweep("after"))
            items.wait_for("after")
            until(lambda: watches.problem == "", "the watches are still said to be deaf")


def test_a_server_that_goes_away_for_a_moment_is_watched_on(server: ApiServer) -> None:
    direct = connection(server)
    through, broken = direct.host, threading.Event()
    with proxy(urlsplit(through).netloc, down=lambda data: None if broken.is_set() else data) as endpoint:
        direct.host = f"https://{endpoint}"
        with watching(direct, seconds=2) as (watches, items):
            until(lambda: bool(watches.sweeps()), "nothing was listed")
            broken.set()
            server.apply(sweep("meanwhile"))
            broken.clear()
            items.wait_for("meanwhile")


def test_nothing_is_known_before_everything_is_listed(server: ApiServer) -> None:
    watches = Watches(connection(server), (), lambda _item, _delay: None, lambda _resource: None)

    with pytest.raises(NotWatchingError):
        watches.snapshot("default", "early")
    assert watches.sweeps() == ()


def test_a_list_that_is_made_again_begins_new_indexes(server: ApiServer) -> None:
    server.apply(sweep("kept"))
    server.apply(sweep("lost"))
    with watching(connection(server)) as (watches, items):
        items.wait_for("kept")
        items.seen.clear()
        # As kopf does when the API has forgotten how far a watch was; what it reads of it is not heard of.
        watches._listed(Resource.SWEEPS.path(""))
        items.wait_for("kept")

        assert "kept" in {known.name for known in watches.sweeps()}


def test_a_snapshot_is_whole_or_there_is_none_while_indexes_begin_anew(server: ApiServer) -> None:
    server.apply(recipe_of("whole"))
    server.apply(sweep("whole"))
    server.apply(job("whole-p", {SWEEP_LABEL: "whole", JOB_LABEL: "plan"}))

    def is_answered(watches: Watches) -> bool:
        try:
            snapshot = watches.snapshot("default", "whole")
        except NotWatchingError:
            return False
        assert (snapshot.sweep is None, snapshot.recipe is None, len(snapshot.jobs)) == (False, False, 1)
        return True

    with watching(connection(server)) as (watches, items):
        for _ in range(LIVES):
            items.wait_for("whole")
            items.seen.clear()
            watches._listed(Resource.SWEEPS.path(""))
            while not any(item.name == "whole" for item in items.seen):
                is_answered(watches)
        until(lambda: is_answered(watches), "no snapshot came")
