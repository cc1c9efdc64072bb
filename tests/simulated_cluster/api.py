"""API server in memory: names, resourceVersions, generations, finalizers, status subresource, garbage collection."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from synth_operator.kube.api import CONFLICT, NOT_FOUND, ApiError, JsonObject, Resource

Key = tuple[Resource, str]
NAMESPACE = "lab"


class CrashError(Exception):
    """The simulated operator process crashed."""


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

    def list_all(self, resource: Resource) -> list[JsonObject]:
        return [body for (kind, _), body in self.objects.items() if kind is resource]

    def add(self, resource: Resource, body: JsonObject) -> JsonObject:
        """Create an object as a user or a controller does."""
        body = copy.deepcopy(body)
        body["metadata"] |= {
            "namespace": NAMESPACE,
            "uid": f"uid-{next(self._uids)}",
            "creationTimestamp": self.format_time(),
            "generation": 1,
        }
        self.objects[resource, body["metadata"]["name"]] = body
        self.bump_version(body)
        return body

    def bump_version(self, body: JsonObject) -> None:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)

    def edit_spec(self, resource: Resource, name: str, **changes: Any) -> None:
        body = self.objects[resource, name]
        body["spec"] = {**body["spec"], **changes}
        body["metadata"]["generation"] += 1
        self.bump_version(body)

    def remove(self, resource: Resource, name: str) -> None:
        """Delete in the background, as a user does; finalizers delay it."""
        body = self.objects.get((resource, name))
        if body is None:
            return
        if body["metadata"].get("finalizers"):
            if "deletionTimestamp" not in body["metadata"]:
                body["metadata"]["deletionTimestamp"] = self.format_time()
                body["metadata"]["generation"] += 1
                self.bump_version(body)
            return
        self._remove_now(resource, name)

    def _remove_now(self, resource: Resource, name: str) -> None:
        body = self.objects.pop((resource, name))
        uid = body["metadata"]["uid"]
        for (kind, child), other in list(self.objects.items()):
            if any(owner["uid"] == uid for owner in other["metadata"].get("ownerReferences", ())):
                self.remove_dependent(kind, child, other)

    def remove_dependent(self, kind: Resource, name: str, body: JsonObject) -> None:
        """Delete a dependent object as the garbage collector does; pods get their grace period."""
        if kind is Resource.PODS and body["status"]["phase"] in ("Pending", "Running"):
            body["metadata"].setdefault("deletionTimestamp", self.format_time(timedelta(seconds=30)))
            self.bump_version(body)
        else:
            self.remove(kind, name)

    def format_time(self, later: timedelta = timedelta(0)) -> str:
        return (self.now + later).isoformat(timespec="seconds").replace("+00:00", "Z")

    # Calls of the operator

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        with _Write(self, f"create {resource.plural} {body['metadata']['name']}"):
            refusal = self.refuse(resource, body)
            if refusal:
                raise refusal
            if (resource, body["metadata"]["name"]) in self.objects:
                raise ApiError(CONFLICT, "AlreadyExists", "its name is taken")
            return copy.deepcopy(self.add(resource, {**body, "status": {}}))

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        return copy.deepcopy(self.objects.get((resource, name)))

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        wanted = dict(part.split("=", 1) for part in labels.split(",") if part)
        found = (
            body for body in self.list_all(resource) if wanted.items() <= body["metadata"].get("labels", {}).items()
        )
        return [copy.deepcopy(body) for body in found]

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        with _Write(self, f"patch {resource.plural} {name}"):
            there = self._find_existing(resource, name)
            metadata = body.get("metadata", {})
            if metadata.get("uid", there["metadata"]["uid"]) != there["metadata"]["uid"]:
                raise ApiError(CONFLICT, "Conflict", "another one has its name")
            self._check_version(there, metadata)
            there["spec"] = {**there["spec"], **body.get("spec", {})}
            if "finalizers" in metadata:
                there["metadata"]["finalizers"] = metadata["finalizers"]
            self.bump_version(there)
            if "deletionTimestamp" in there["metadata"] and not there["metadata"].get("finalizers"):
                self._remove_now(resource, name)
            return copy.deepcopy(there)

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        with _Write(self, f"status {resource.plural} {name}"):
            there = self._find_existing(resource, name)
            self._check_version(there, body["metadata"])
            there["status"] = copy.deepcopy(body["status"])
            self.bump_version(there)
            return copy.deepcopy(there)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        with _Write(self, f"delete {resource.plural} {name}"):
            there = self.objects.get((resource, name))
            if there and uid in ("", there["metadata"]["uid"]):
                self.remove(resource, name)

    def _find_existing(self, resource: Resource, name: str) -> JsonObject:
        there = self.objects.get((resource, name))
        if there is None:
            raise ApiError(NOT_FOUND, "NotFound", "there is none")
        return there

    def _check_version(self, there: JsonObject, metadata: JsonObject) -> None:
        version = there["metadata"]["resourceVersion"]
        if metadata.get("resourceVersion", version) != version:
            raise ApiError(CONFLICT, "Conflict", "it has changed")


class _Write:
    """One write, with a callback before and after it."""

    def __init__(self, api: MemoryApi, what: str) -> None:
        self._api = api
        self._what = what

    def __enter__(self) -> None:
        self._api.on_write("before")
        self._api.writes.append(self._what)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._api.on_write("after")
