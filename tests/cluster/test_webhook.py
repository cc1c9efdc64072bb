"""The validating webhook behind a real API server, with the objects and the rights of the chart."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest
import yaml
from webhook_release import (
    CHART,
    CLUSTER_NAME,
    DRY_RUN,
    LAB,
    NAME,
    OWN,
    RECIPE_FILE,
    WRONG,
    Release,
    Webhook,
    build,
    build_sweep,
    install_release,
    run_webhook,
)

from synth_api.errors import InputError
from synth_api.sweep.definition import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator


NO_FINALIZERS: Final = '[{"op": "remove", "path": "/metadata/finalizers"}]'


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    with install_release(tmp_path_factory.mktemp("webhook")) as installed:
        yield installed


@pytest.fixture(scope="module")
def webhook(release: Release) -> Iterator[Webhook]:
    with run_webhook(release) as running:
        yield running


def read_validate_sentence(override: str) -> str:
    """Return the sentence that `synth validate` prints."""
    with pytest.raises(InputError) as error:
        Sweep.load(RECIPE_FILE, [override])
    return str(error.value)


def test_a_mistake_is_refused_before_it_is_written(release: Release, webhook: Webhook) -> None:
    sentence = read_validate_sentence(WRONG)
    for options in ((DRY_RUN,), ()):
        refused = release.apply(build_sweep("wrong", overrides=[WRONG]), *options)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"denied the request: The sweep is invalid: {sentence}" in refused.stderr
    broken = release.apply(build("SynthRecipe", "broken", recipe={"blueprint": {}}), DRY_RUN)
    assert "a recipe has no section 'blueprint'; did you mean 'blueprints'?" in broken.stderr
    assert release.server.kubectl("-n", LAB, "get", "synthsweeps,synthrecipes", "-o", "name") == (
        "synthrecipe.synth-operator.io/spheres\n"
    )


def test_what_is_right_passes_and_what_is_too_early_warns(release: Release, webhook: Webhook) -> None:
    passed = release.apply(build_sweep("right", overrides=["initial_runtime_state.seed=range(3)"]), DRY_RUN)
    assert (passed.returncode, passed.stderr) == (0, "")
    early = release.apply(build_sweep("early", recipeRef={"name": "later"}), DRY_RUN)
    assert early.returncode == 0
    assert early.stderr == "Warning: There is no SynthRecipe 'later' in this namespace; apply one.\n"


def test_sweeps_that_are_expensive_to_check_leave_those_of_other_namespaces_checked(
    release: Release, webhook: Webhook
) -> None:
    values = ",".join(["1"] * 2000)
    overrides = [f"+initial_runtime_state.x{number}={values}" for number in range(16)]
    recipe = build("SynthRecipe", "spheres", recipe=yaml.safe_load(RECIPE_FILE.read_text()))
    hostile = [recipe, *(build_sweep(f"expensive-{number}", overrides=overrides) for number in range(6))]
    release.server.kubectl("create", "namespace", "hostile")
    documents = [json.dumps({**each, "metadata": {**each["metadata"], "namespace": "hostile"}}) for each in hostile]
    release.server.kubectl("create", "-f", "-", stdin=documents[0])
    with ThreadPoolExecutor(3) as writers:
        for document in documents[1:]:
            writers.submit(release.server.call, "create", "-f", "-", stdin=document)
        refused = release.apply(build_sweep("wrong", overrides=[WRONG]), DRY_RUN)
    assert read_validate_sentence(WRONG) in refused.stderr


def test_without_the_webhook_writes_pass_and_what_they_wrote_can_be_repaired_and_deleted(
    release: Release, webhook: Webhook
) -> None:
    webhook.stop()
    assert release.apply(build_sweep("wrong", overrides=[WRONG])).returncode == 0
    webhook.start()  # with a new certificate, which the API server trusts without a restart
    place = ("-n", LAB, "synthsweep/wrong")
    server = release.server
    server.kubectl("label", *place, "team=imaging")
    for finalizers in (["example.org/hold"], []):
        patch = json.dumps({"metadata": {"finalizers": finalizers}})
        server.kubectl("patch", *place, "--type=merge", f"--patch={patch}")
    server.kubectl("patch", *place, "--type=merge", "--subresource=status", '--patch={"status":{"phase":"Waiting"}}')
    suspended = server.call("patch", *place, "--type=merge", '--patch={"spec":{"suspend":true}}')
    assert suspended.returncode == 0
    assert suspended.stderr.startswith("Warning: The sweep is invalid: ")
    worse = server.call("patch", *place, "--type=merge", '--patch={"spec":{"overrides":["x"]}}')
    assert worse.returncode == 1
    server.kubectl("patch", *place, "--type=merge", '--patch={"spec":{"overrides":[]}}')
    server.kubectl("delete", *place, "--timeout=300s")


def test_failure_policy_fail_refuses_writes_while_it_is_down_and_lets_deletions_go_on(
    release: Release, webhook: Webhook
) -> None:
    held = build_sweep("held")
    assert release.apply({**held, "metadata": {**held["metadata"], "finalizers": ["example.org/hold"]}}).returncode == 0
    webhook.stop()
    release.edit_registration({"failurePolicy": "Fail"})
    refused = release.apply(build_sweep("another"), DRY_RUN)
    assert (refused.returncode, "failed calling webhook" in refused.stderr) == (1, True)
    release.server.kubectl("-n", LAB, "delete", "synthsweep/held", "--wait=false")
    release.server.kubectl("-n", LAB, "patch", "synthsweep/held", "--type=json", f"--patch={NO_FINALIZERS}")
    assert release.server.call("-n", LAB, "get", "synthsweep/held").returncode == 1
    release.edit_registration({"failurePolicy": "Ignore"})


def test_each_line_of_its_log_is_a_json_object(release: Release, webhook: Webhook) -> None:
    webhook.stop()
    lines = (release.folder / "webhook.log").read_text().splitlines()
    assert "serving a new certificate" in {json.loads(line)["message"] for line in lines}


RIGHTS: Final = [
    ("get", "synthrecipes.synth-operator.io", "yes"),
    ("list", "synthrecipes.synth-operator.io", "no"),
    ("get", "synthsweeps.synth-operator.io", "no"),
    ("update", "synthsweeps.synth-operator.io", "no"),
    ("get", "secrets", "no"),
    ("create", "secrets", "no"),
    ("create", "pods", "no"),
    ("create", "jobs.batch", "no"),
    ("patch", f"validatingwebhookconfigurations/{CLUSTER_NAME}", "yes"),
    ("patch", "validatingwebhookconfigurations/another", "no"),
    ("create", "validatingwebhookconfigurations", "no"),
    ("delete", f"validatingwebhookconfigurations/{CLUSTER_NAME}", "no"),
    ("patch", "mutatingwebhookconfigurations", "no"),
]


def test_it_may_read_a_recipe_and_renew_its_registration_and_nothing_else(release: Release) -> None:
    who = f"--as=system:serviceaccount:{OWN}:{NAME}"
    found = [
        (verb, kind, release.server.call("auth", "can-i", verb, kind, who, "-n", LAB).stdout.strip())
        for verb, kind, _ in RIGHTS
    ]
    assert found == RIGHTS


@pytest.mark.parametrize("version", ["helm", "helm3"])
def test_an_upgrade_keeps_the_path_and_the_certificates(release: Release, version: str) -> None:
    written = {
        "service": {"name": NAME, "namespace": OWN, "port": 443, "path": "/5ec4e7"},
        "caBundle": "Q0VSVElGSUNBVEU=",
    }
    former = release.read_client()
    release.edit_registration({"clientConfig": written})
    release.helm(version, "upgrade", "synth", CHART, "--set=admissionWebhook.enabled=true", "--set=workers=9")
    assert release.read_client() == written
    release.edit_registration({"clientConfig": former})
