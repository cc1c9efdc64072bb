from pathlib import Path
from typing import Any

import pytest

from synth_api.errors import InputError
from synth_api.resources.namespace_limits import NamespaceLimits
from synth_operator.configuration import Configuration

LEAST: dict[str, Any] = {
    "operatorImage": "synth-operator:0.1.0",
    "rendererImage": "synth-renderer:0.1.0",
    "lease": {"namespace": "synth"},
}


def test_omitted_keys_have_defaults() -> None:
    configuration = Configuration.from_tree(LEAST)

    assert configuration.namespaces == ()
    assert configuration.gpu.resource_name == "nvidia.com/gpu"
    assert configuration.lease.duration_seconds == 15
    assert not configuration.overlay.trusted
    assert not configuration.overlay.tolerations
    assert not configuration.overlay.claims
    assert not configuration.priority_classes


def test_namespaces_are_sorted() -> None:
    assert Configuration.from_tree({**LEAST, "namespaces": ["b", "a"]}).namespaces == ("a", "b")


def test_limits_of_a_namespace_replace_the_default_key_by_key() -> None:
    limits = {
        "default": {"sweeps": 2, "pods": 5},
        "namespaces": {"lab": {"pods": None, "gpus": 3, "runsPerSweep": 10}},
    }

    found = Configuration.from_tree({**LEAST, "limits": limits}).limits

    assert found.find("lab") == NamespaceLimits(sweeps=2, gpus=3, runs_per_sweep=10)
    assert found.find("other") == NamespaceLimits(sweeps=2, pods=5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"healthPrt": 1}, "healthPrt: there is no key 'healthPrt'; did you mean 'healthPort'?"),
        (
            {"gpu": {"resourcename": "x"}},
            "gpu.resourcename: there is no key 'resourcename'; did you mean 'resourceName'?",
        ),
        (
            {"gpu": {"tolerations": [{"ky": "x"}]}},
            "gpu.tolerations[0].ky: there is no key 'ky'; did you mean 'key'?",
        ),
        (
            {"output": {"endpoint": "a", "bucket": "abc", "sharedby": ["lab"]}},
            "output.sharedby: there is no key 'sharedby'; did you mean 'sharedBy'?",
        ),
        (
            {"output": {"endpoint": "a", "bucket": "abc", "buckt": "b"}},
            "output.buckt: there is no key 'buckt'; did you mean 'bucket'?",
        ),
        (
            {"limits": {"namespaces": {"lab": {"swps": 1}}}},
            "limits.namespaces.lab.swps: there is no key 'swps'; did you mean 'sweeps'?",
        ),
        (
            {"limits": {"namespaces": {"pods": {"gpu": 1}}}},
            "limits.namespaces.pods.gpu: there is no key 'gpu'; did you mean 'gpus'?",
        ),
        ({"limits": {"default": {"gpus": -1}}}, "limits.default.gpus: must be at least 0, not -1"),
        ({"lease": {}}, "lease.namespace: is missing; give it a value"),
        (
            {"allowedEndpoints": ["http://store:9000"]},
            "allowedEndpoints[0]: must be a host, a host with a port, or *. and a domain, such as *.store.example, "
            "not 'http://store:9000'",
        ),
        ({"healthPort": 8080}, "healthPort and metricsPort must differ, both are 8080"),
        ({"workers": 0}, "workers: must be at least 1, not 0"),
        ({"imagePullPolicy": "never"}, "imagePullPolicy: there is no 'never' here; did you mean 'Never'?"),
        ({"namespaces": "a"}, "namespaces: must be a list, not 'a'"),
        ({"namespaces": ["b", "a", "b"]}, "namespaces: names 'b' twice; take one of them out"),
        (
            {"namespaces": ["Lab.A"]},
            "namespaces[0]: must be the name of a namespace: lower-case letters, digits and '-', no '-' at its ends, "
            "at most 63, not 'Lab.A'",
        ),
        (
            {"scratchSize": "banana"},
            "scratchSize: must be a quantity as Kubernetes writes it, such as 500m, 2 or 16Gi, not 'banana'",
        ),
        (
            {"jobResources": {"limits": {"memory": "2 GB"}}},
            "jobResources.limits.memory: must be a quantity as Kubernetes writes it, such as 500m, 2 or 16Gi, "
            "not '2 GB'",
        ),
        (
            {"output": {"endpoint": "a", "bucket": "abc", "secretRef": {"name": "s"}, "serviceAccountName": "a"}},
            "output: is opened by either secretRef or serviceAccountName; take one of them out",
        ),
        (
            {"allowedImages": ["registry.example/lab/"]},
            "allowedImages[0]: 'registry.example/lab/' is no image; write REGISTRY/PATH, then :TAG or @sha256:DIGEST "
            "if wanted",
        ),
        (
            {"priorityClasses": ["system-node-critical"]},
            "priorityClasses[0]: 'system-node-critical' belongs to pods of Kubernetes; list other classes",
        ),
        (
            {"overlay": {"images": True}},
            "overlay.images: there is no key 'images'; known are claims, reservedDomains, tolerations, trusted",
        ),
        ({"lease": {"namespace": "a", "durationSeconds": 60}}, "lease.durationSeconds: must be at most 15, not 60"),
    ],
)
def test_an_invalid_value_is_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        Configuration.from_tree({**LEAST, **change})

    assert str(error.value) == sentence


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "configuration.yaml"
    file.write_text("operatorImage: a\nrendererImage: b\nlease: {namespace: c}\n")

    assert Configuration.read(file).renderer_image == "b"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", "is no YAML"), ("", "must be a mapping, not null"), ("[]", "must be a mapping, not a list")],
)
def test_an_error_names_the_file(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "configuration.yaml"
    file.write_text(text)

    with pytest.raises(InputError, match=problem) as error:
        Configuration.read(file)

    assert error.value.path == str(file)


def test_an_error_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read: .*No such file"):
        Configuration.read(tmp_path / "none.yaml")
