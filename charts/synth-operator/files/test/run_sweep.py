"""The container of `helm test`: run_sweep.py SWEEP.json SECONDS creates a sweep and waits until it is Complete.

A complete sweep is deleted with its output. Otherwise the last sentence of the sweep is printed and the exit code is 1.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from kubernetes import client, config

Tree = dict[str, Any]


class Sweeps:
    """Access to the sweeps of a namespace."""

    def __init__(self, namespace: str) -> None:
        self._api = client.CustomObjectsApi()
        self._place = ("synth-operator.io", "v1alpha1", namespace, "synthsweeps")

    def create(self, body: Tree) -> str:
        """Create a sweep and return its name."""
        created: Tree = self._api.create_namespaced_custom_object(*self._place, body)
        return str(created["metadata"]["name"])

    def read(self, name: str) -> Tree | None:
        """Return a sweep, None if it does not exist."""
        try:
            return dict(self._api.get_namespaced_custom_object(*self._place, name))
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def delete(self, name: str) -> None:
        """Delete a sweep; it exists until its output is deleted."""
        self._api.delete_namespaced_custom_object(*self._place, name)


def describe_progress(sweep: Tree) -> tuple[str, str]:
    """Return the phase of a sweep, `Stalled` if only an edit helps, and the sentence of its condition `Ready`."""
    status = sweep.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    is_stalled = conditions.get("Stalled", {}).get("status") == "True"
    phase = status.get("phase", "Pending")
    return "Stalled" if is_stalled and phase != "Failed" else phase, conditions.get("Ready", {}).get("message", "")


def wait_for_end(sweeps: Sweeps, name: str, end: float) -> bool:
    """Print the sweep's sentences as they change; return True if it becomes Complete."""
    said = ""
    while time.monotonic() < end:
        phase, message = describe_progress(sweeps.read(name) or {})
        if f"{phase}: {message}" != said:
            said = f"{phase}: {message}"
            print(said, flush=True)
        if phase in ("Complete", "Failed", "Stalled"):
            return phase == "Complete"
        time.sleep(1)
    print("The time is over.")
    return False


def wait_for_deletion(sweeps: Sweeps, name: str, end: float) -> bool:
    """Delete the sweep; return True if it is gone in time."""
    sweeps.delete(name)
    while time.monotonic() < end:
        if sweeps.read(name) is None:
            print("Deleted with its output.")
            return True
        time.sleep(1)
    print("The output was not deleted in time.")
    return False


def main(file: str, seconds: str) -> int:
    """Return the exit code."""
    config.load_config()
    body = json.loads(Path(file).read_text(encoding="utf-8"))
    namespace, end = body["metadata"]["namespace"], time.monotonic() + float(seconds)
    sweeps = Sweeps(namespace)
    try:
        name = sweeps.create(body)
    except client.ApiException as error:
        print(f"The API server refuses the sweep: {json.loads(error.body)['message']}")
        return 1
    if wait_for_end(sweeps, name, end) and wait_for_deletion(sweeps, name, end):
        return 0
    print(f"The sweep is kept: kubectl -n {namespace} describe synthsweep {name}")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
