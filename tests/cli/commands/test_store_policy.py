"""`synth store-policy`: the policy of a namespace, as docs/kubernetes.md shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_cli.main import run

PAGE = Path(__file__).parents[3] / "docs" / "kubernetes.md"


def print_policy(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(arguments) == 0
    return capsys.readouterr().out


def test_the_policy_is_that_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    shown = (
        PAGE.read_text(encoding="utf-8")
        .partition("### Several teams\n")[2]
        .partition("```json\n")[2]
        .partition("```")[0]
    )
    printed = print_policy(["store-policy", "lab-a", "--bucket=datasets", "--prefix=lab"], capsys)
    assert json.loads(printed) == json.loads(shown)


@pytest.mark.parametrize(
    ("options", "folders"),
    [
        ([], ["lab-a"]),
        (["--prefix=lab/x"], ["lab/x/lab-a"]),
        (["--shared"], ["datasets", "manifests", "recipes", "runs", "scratch", "sweeps"]),
        (
            ["--shared", "--prefix=lab"],
            ["lab/datasets", "lab/manifests", "lab/recipes", "lab/runs", "lab/scratch", "lab/sweeps"],
        ),
    ],
)
def test_the_folders_of_a_policy(options: list[str], folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    listing, objects = json.loads(print_policy(["store-policy", "lab-a", "--bucket=data", *options], capsys))[
        "Statement"
    ]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": [f"{folder}/*" for folder in folders]}}
    assert objects["Resource"] == [f"arn:aws:s3:::data/{folder}/*" for folder in folders]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lab-a", "--bucket=Data"], "--bucket: must be a name that S3 allows"),
        (["lab-a", "--bucket=data", "--prefix=/lab"], "--prefix: must be a folder in the bucket"),
        (["lab-a", "--bucket=data", "--prefix=a*"], "--prefix: in a policy '*' stands for any text"),
        (["Lab", "--bucket=data"], "NAMESPACE: 'Lab' cannot be the name of a namespace"),
        (["runs", "--bucket=data"], "NAMESPACE: 'runs' is a folder of a shared store and has no default output"),
        (["lab-a"], "missing option '--bucket'"),
    ],
)
def test_a_policy_is_never_wider_than_it_looks(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["store-policy", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"error: {sentence}")
