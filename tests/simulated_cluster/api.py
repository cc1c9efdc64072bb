"""An API server in memory: names, resourceVersions, generations, finalizers, the status apart, owners' garbage."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from synth_operator.kube.api import CONFLICT, NOT_FOUND, ApiError, JsonObject, Resource

Key = tuple[Resource, str]
NAMESPACE = "lab"


class KilledError(Exception):
    """The operator's process is gone."""


class MemoryApi:
    """`Api` over dictionaries. `on_write` is called before and after each write of the operator."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.objects: dict[Key, JsonObject] = {}
        self.writes: list[str] = []
        self.on_write: Callable[[str], None] = lambda _when: None
        self.refuse: Callable[[Resource, JsonObject], ApiError | None] = lambda _resource, _body: None
        self.version = 0
        self._uids = count(1)

    def all(self, resource: Resource) -> list[JsonObject]:
        return [body for (kind, _), body in self.objects.items() if kind is resource]

    def put(self, resource: Resource, body: JsonObject) -> JsonObject:
        """As a user or a controller would create it."""
        body = copy.deepcopy(body)
        body["metadata"] |= {
            "namespace": NAMESPACE,
            "uid": f"uid-{next(self._uids)}",
            "creationTimestamp": self.stamp(),
            "generation": 1,
        }
        self.objects[resource, body["metadata"]["name"]] = body
        self.touch(body)
        return body

    def touch(self, body: JsonObject) -> None:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)

    def edit_spec(self, resource: Resource, name: str, **changes: Any) -> None:
        body = self.objects[resource, name]
        body["spec"] = {**body["spec"], **changes}
        body["metadata"]["generation"] += 1
        self.touch(body)

    def remove(self, resource: Resource, name: str) -> None:
        """Deletes in the background, as a user would; finalizers hold it."""
        body = self.objects.get((resource, name))
        if body is None:
            return
        if body["metadata"].get("finalizers"):
            if "deletionTimestamp" not in body["metadata"]:
                body["metadata"]["deletionTimestamp"] = self.stamp()
                body["metadata"]["generation"] += 1
                self.touch(body)
            return
        self._vanish(resource, name)

    def _vanish(self, resource: Resource, name: str) -> None:
        body = self.objects.pop((resource, name))
        uid = body["metadata"]["uid"]
        for (kind, child), other in list(self.objects.items()):
            if any(owner["uid"] == uid for owner in other["metadata"].get("ownerReferences", ())):
                self.remove_child(kind, child, other)

    def remove_child(self, kind: Resource, name: str, body: JsonObject) -> None:
        """The garbage collector's work; pods get their grace period."""
        if kind is Resource.PODS and body["status"]["phase"] in ("Pending", "Running"):
            body["metadata"].setdefault("deletionTimestamp", self.stamp(timedelta(seconds=30)))
            self.touch(body)
        else:
            self.remove(kind, name)

    def stamp(self, later: timedelta = timedelta(0)) -> str:
        return (self.now + later).isoformat(timespec="seconds").replace("+00:00", "Z")

    # What the operator calls.

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        with _Write(self, f"create {resource.plural} {body['metadata']['name']}"):
            refusal = self.refuse(resource, body)
            if refusal:
                raise refusal
            if (resource, body["metadata"]["name"]) in self.objects:
                raise ApiError(CONFLICT, "AlreadyExists", "its name is taken")
            return copy.deepcopy(self.put(resource, {**body, "status": {}}))

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        return copy.deepcopy(self.objects.get((resource, name)))

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        wanted = dict(part.split("=", 1) for part in labels.split(",") if part)
        found = (body for body in self.all(resource) if wanted.items() <= body["metadata"].get("labels", {}).items())
        return [copy.deepcopy(body) for body in found]

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        with _Write(self, f"patch {resource.plural} {name}"):
            there = self._known(resource, name)
            metadata = body.get("metadata", {})
            if metadata.get("uid", there["metadata"]["uid"]) != there["metadata"]["uid"]:
                raise ApiError(CONFLICT, "Conflict", "another one has its name")
            self._expect(there, metadata)
            there["spec"] = {**there["spec"], **body.get("spec", {})}
            if "finalizers" in metadata:
                there["metadata"]["finalizers"] = metadata["finalizers"]
            self.touch(there)
            if "deletionTimestamp" in there["metadata"] and not there["metadata"].get("finalizers"):
                self._vanish(resource, name)
            return copy.deepcopy(there)

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        with _Write(self, f"status {resource.plural} {name}"):
            there = self._known(resource, name)
            self._expect(there, body["metadata"])
            there["status"] = copy.deepcopy(body["status"])
            self.touch(there)
            return copy.deepcopy(there)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        with _Write(self, f"delete {resource.plural} {name}"):
            there = self.objects.get((resource, name))
            if there and uid in ("", there["metadata"]["uid"]):
                self.remove(resource, name)

    def _known(self, resource: Resource, name: str) -> JsonObject:
        there = self.objects.get((resource, name))
        if there is None:
            raise ApiError(NOT_FOUND, "NotFound", "there is none")
        return there

    def _expect(self, there: JsonObject, metadata: JsonObject) -> None:
        version = there["metadata"]["resourceVersion"]
        if metadata.get("resourceVersion", version) != version:
            raise ApiError(CONFLICT, "Conflict", "it has changed")


class _Write:
    """One write, told before and after."""

    def __init__(self, api: MemoryApi, what: str) -> None:
        self._api = api
        self._what = what

    def __enter__(self) -> None:
        self._api.on_write("before")
        self._api.writes.append(self._what)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._api.on_write("after")
