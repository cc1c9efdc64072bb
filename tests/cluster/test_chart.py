"""The chart on a real API server: its objects, its rights, and an operator that works with these rights alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from api_server import ADMIN, ApiServer, api_server
from chart_switches import FOREIGN_DEFINITIONS, NAMESPACES, SWITCHES
from servers import ROOT, free_ports, program
from waiting import SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHART = str(ROOT / "charts/synth-operator")
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass(frozen=True)
class Installer:
    """Helm for one API server."""

    program: Path
    server: ApiServer
    home: Path

    def __call__(self, *arguments: str) -> str:
        homes = {f"HELM_{each}_HOME": str(self.home) for each in ("CACHE", "CONFIG", "DATA")}
        environment = {**os.environ, **homes, "KUBECONFIG": str(self.server.kubeconfig)}
        done = subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, env=environment, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api-server")) as running:
        yield running


@pytest.fixture(params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest, server: ApiServer, tmp_path: Path) -> Installer:
    return Installer(program(request.param, "clients"), server, tmp_path)


@pytest.fixture
def namespace(server: ApiServer) -> Callable[[str], str]:
    """Return a function that creates namespaces; without controllers none can be deleted."""

    def make(role: str) -> str:
        name = f"{role}-{token_hex(4)}"
        server.kubectl("create", "namespace", name)
        server.kubectl("label", "namespace", name, RESTRICTED)
        return name

    return make


@contextmanager
def install_release(helm: Installer, namespace: str, *options: str) -> Iterator[None]:
    # The definitions outlive each release, and the next release is in another namespace.
    helm("install", "synth", CHART, "--namespace", namespace, "--take-ownership", *options)
    try:
        yield
    finally:
        helm("uninstall", "synth", "--namespace", namespace)


def build_sweep(name: str = "s", **spec: Any) -> dict[str, Any]:
    """Return a sweep whose recipe does not exist."""
    output = {"endpoint": "store:9000", "bucket": "data"}
    return {
        "apiVersion": "synth-operator.io/v1alpha1",
        "kind": "SynthSweep",
        "metadata": {"name": name},
        "spec": {"recipeRef": {"name": "absent"}, "output": output, **spec},
    }


def test_sweeps_and_definitions_survive_upgrade_and_uninstall(
    helm: Installer, server: ApiServer, namespace: Callable[[str], str]
) -> None:
    own = namespace("operator")
    with install_release(helm, own):
        server.kubectl("wait", "--for=condition=Established", "crd", "--all")
        server.kubectl("-n", own, "apply", "-f", "-", stdin=json.dumps(build_sweep()))
        helm("upgrade", "synth", CHART, "--namespace", own, "--reset-then-reuse-values", "--set", "workers=9")
        configuration = server.kubectl("-n", own, "get", "configmap", "synth-operator", "-o", "json")
        assert "workers: 9" in json.loads(configuration)["data"]["configuration.yaml"]
    assert server.kubectl("-n", own, "get", "synthsweeps", "-o", "name") == "synthsweep.synth-operator.io/s\n"
    with install_release(helm, own):
        assert server.kubectl("-n", own, "get", "ss", "-o", "name") == "synthsweep.synth-operator.io/s\n"


def test_users_may_delete_their_sweeps_after_an_uninstall(
    helm: Installer, server: ApiServer, namespace: Callable[[str], str]
) -> None:
    own, lab = namespace("operator"), namespace("lab")
    # Here no controller aggregates the roles, so the user has the chart's own.
    server.kubectl("-n", lab, "create", "rolebinding", "edit", "--clusterrole=synth-operator-edit", "--user=tenant")
    with install_release(helm, own):
        server.kubectl("wait", "--for=condition=Established", "crd", "--all")
        server.kubectl("-n", lab, "apply", "-f", "-", stdin=json.dumps(build_sweep()))
    server.kubectl("-n", lab, "delete", "synthsweep", "s", "--as=tenant")
    own = namespace("other")
    with install_release(helm, own, "--set", "fullnameOverride=imaging"):
        labels = json.loads(server.kubectl("get", "clusterrole", "synth-operator-edit", "-o", "json"))["metadata"]
        assert labels["annotations"]["meta.helm.sh/release-namespace"] == own
        server.kubectl("-n", lab, "apply", "-f", "-", "--as=tenant", stdin=json.dumps(build_sweep()))


@pytest.fixture(scope="module")
def server_with_definitions(server: ApiServer) -> ApiServer:
    """Return the server with what objects of the chart refer to: kinds of other projects, namespaces of sweeps."""
    for each in FOREIGN_DEFINITIONS:
        server.apply(each)
    server.kubectl("wait", "--for=condition=Established", "crd", "--all")
    for name in NAMESPACES:
        server.kubectl("create", "namespace", name)
    return server


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_server_accepts_all_objects_without_a_warning(
    server_with_definitions: ApiServer, tmp_path: Path, switch: str
) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps(SWITCHES[switch]))
    options = ("--values", str(values), "--kube-version", "1.33")
    for name in ("helm3", "helm"):
        helm = Installer(program(name, "clients"), server_with_definitions, tmp_path)
        assert "0 chart(s) failed" in helm("lint", "--strict", CHART, *options)
    text = helm("template", "synth", CHART, "--namespace", "default", *options)
    for each in yaml.safe_load_all(text):
        if each and each["kind"] in ("ServiceAccount", "PriorityClass"):  # which a pod needs also in a dry run
            server_with_definitions.apply(each)
    answer = server_with_definitions.call(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", stdin=text
    )
    assert answer.returncode == 0, answer.stderr
    assert "Warning" not in answer.stderr


def write_kubeconfig(server: ApiServer, token: str, folder: Path) -> Path:
    """Write and return a kubeconfig with the token of a service account."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(server.kubeconfig.read_text().replace(ADMIN, token.strip()), encoding="utf-8")
    return kubeconfig


@contextmanager
def run_helm_test(server: ApiServer, own: str, folder: Path, *settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run what the pod of `helm test` runs, with its service account; the sweep is in the same namespace."""
    options = ("--namespace", own, "--kube-version", "1.35.4", "--show-only", "templates/tests/sweep.yaml")
    helm = Installer(program("helm", "clients"), server, folder)
    documents = [each for each in yaml.safe_load_all(helm("template", "synth", CHART, *options, *settings)) if each]
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(each for each in documents if each["kind"] != "Pod"))
    (files,) = (each["data"] for each in documents if each["kind"] == "ConfigMap")
    for name, content in files.items():
        (folder / name).write_text(content)
    kubeconfig = write_kubeconfig(server, server.kubectl("-n", own, "create", "token", "synth-operator-test"), folder)
    with subprocess.Popen(
        [sys.executable, str(folder / "run_sweep.py"), str(folder / "sweep.json"), "60"],
        env={**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


def write_phase(server: ApiServer, own: str, phase: str) -> str:
    """Wait for the only sweep, write its phase as the operator would, and return its name."""
    names: list[str] = []
    while not names:
        names = server.kubectl("-n", own, "get", "synthsweeps", "-o", "name").split()
    condition = {"type": "Ready", "status": "False", "reason": "Planning", "message": f"It is {phase}."}
    status = {"phase": phase, "conditions": [{**condition, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    patch = json.dumps({"status": status})
    server.kubectl("-n", own, "patch", names[0], "--subresource=status", "--type=merge", "-p", patch)
    return names[0].partition("/")[2]


def test_helm_test_says_how_its_sweep_ended(server: ApiServer, namespace: Callable[[str], str], tmp_path: Path) -> None:
    own = namespace("operator")
    with install_release(Installer(program("helm", "clients"), server, tmp_path), own):
        server.kubectl("wait", "--for=condition=Established", "crd", "--all")
        with run_helm_test(server, own, tmp_path) as process:
            name = write_phase(server, own, "Failed")
            output, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 1
            assert output.splitlines()[-2:] == [
                "Failed: It is Failed.",
                f"The sweep is kept: kubectl -n {own} describe synthsweep {name}",
            ]
        server.kubectl("-n", own, "delete", "synthsweep", name)
        with run_helm_test(server, own, tmp_path) as process:
            write_phase(server, own, "Complete")
            output, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, output
            assert output.splitlines()[-2:] == ["Complete: It is Complete.", "Deleted with its output."]
        assert server.kubectl("-n", own, "get", "synthsweeps", "-o", "name") == ""
        with run_helm_test(server, own, tmp_path, "--set", "test.spec.parallelism=0") as process:
            output, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 1
            assert "The API server refuses the sweep: " in output
            assert "spec.parallelism in body should be greater than or equal to 1" in output


RIGHTS = [
    ("list", "secrets", "no"),
    ("get", "secrets", "no"),
    ("watch", "secrets", "no"),
    ("create", "pods", "no"),
    ("create", "pods/exec", "no"),
    ("get", "pods/log", "no"),
    ("create", "serviceaccounts/token", "no"),
    ("create", "rolebindings", "no"),
    ("delete", "synthsweeps.synth-operator.io", "no"),
    ("create", "synthsweeps.synth-operator.io", "no"),
    ("create", "jobs.batch", "yes"),
    ("list", "pods", "yes"),
    ("update", "synthsweeps.synth-operator.io/status", "yes"),
]


def check_right(server: ApiServer, own: str, verb: str, resource: str, namespace: str) -> str:
    kind, _, subresource = resource.partition("/")
    options = [f"--subresource={subresource}"] if subresource else []
    who = f"--as=system:serviceaccount:{own}:synth-operator"
    return server.call("auth", "can-i", verb, kind, *options, who, "-n", namespace).stdout.strip()


def test_the_operator_cannot_read_a_secret(helm: Installer, server: ApiServer, namespace: Callable[[str], str]) -> None:
    own = namespace("operator")
    with install_release(helm, own):
        found = {(verb, kind): check_right(server, own, verb, kind, "default") for verb, kind, _ in RIGHTS}
        inside = {check_right(server, own, verb, "secrets", own) for verb in ("get", "list", "watch")}
    assert found == {(verb, kind): answer for verb, kind, answer in RIGHTS}
    assert inside == {"no"}


def test_the_operator_reaches_only_listed_namespaces(
    helm: Installer, server: ApiServer, namespace: Callable[[str], str]
) -> None:
    own, lab, other = namespace("operator"), namespace("lab"), namespace("other")
    listed = ("--set", f"namespaces={{{lab}}}", "--set", "rbac.userRoles=false")
    with install_release(helm, own, *listed):
        assert [check_right(server, own, "create", "jobs.batch", place) for place in (lab, other, own)] == [
            "yes",
            "no",
            "no",
        ]
        assert check_right(server, own, "list", "secrets", lab) == "no"


@dataclass
class Operator:
    """Process of the operator with the service account of a release."""

    metrics: str
    log: Path

    def scrape(self) -> str:
        with urllib.request.urlopen(self.metrics, timeout=5) as response:
            return str(response.read().decode())

    def read_log(self) -> str:
        return self.log.read_text()[-3000:]


@contextmanager
def run_operator(server: ApiServer, own: str, folder: Path) -> Iterator[Operator]:
    health, metrics = free_ports(2)
    configmap = json.loads(server.kubectl("-n", own, "get", "configmap", "synth-operator", "-o", "json"))
    configuration = yaml.safe_load(configmap["data"]["configuration.yaml"])
    (folder / "configuration.yaml").write_text(
        yaml.safe_dump({**configuration, "healthPort": health, "metricsPort": metrics}), encoding="utf-8"
    )
    kubeconfig = write_kubeconfig(server, server.kubectl("-n", own, "create", "token", "synth-operator"), folder)
    log = folder / "operator.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "synth_operator", "--config", str(folder / "configuration.yaml")],
            env={**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONWARNINGS": "ignore"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Operator(f"http://127.0.0.1:{metrics}/metrics", log)
    finally:
        process.terminate()
        process.wait()


def read_ready_reason(server: ApiServer, namespace: str) -> str:
    status = json.loads(server.kubectl("-n", namespace, "get", "ss", "s", "-o", "json")).get("status", {})
    return next((each["reason"] for each in status.get("conditions", ()) if each["type"] == "Ready"), "")


@pytest.mark.parametrize("listed", [False, True], ids=["cluster", "namespaces"])
def test_the_operator_works_with_the_rights_of_the_chart(
    server: ApiServer, namespace: Callable[[str], str], tmp_path: Path, listed: bool
) -> None:
    helm = Installer(program("helm", "clients"), server, tmp_path)
    own, lab, other = namespace("operator"), namespace("lab"), namespace("other")
    options = ("--set", f"namespaces={{{lab}}}", "--set", "rbac.userRoles=false") if listed else ()
    with install_release(helm, own, *options):
        server.kubectl("wait", "--for=condition=Established", "crd", "--all")
        for place in (lab, other):
            server.kubectl("-n", place, "apply", "-f", "-", stdin=json.dumps(build_sweep()))
        with run_operator(server, own, tmp_path) as running:
            wait_until(lambda: read_ready_reason(server, lab) == "RecipeNotFound", running.read_log)
            if not listed:
                wait_until(lambda: read_ready_reason(server, other) == "RecipeNotFound", running.read_log)
            scraped = running.scrape()
    assert "synth_operator_leader 1.0" in scraped
    assert f'synth_sweep_phase{{namespace="{lab}",phase="Waiting",sweep="s"}} 1.0' in scraped
    assert (f'namespace="{other}"' in scraped) is not listed
    assert 'code="403"' not in scraped
    assert (read_ready_reason(server, other) == "") is listed
