"""Write charts/synth-operator/README.md from the comments and defaults of values.yaml."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHART: Final = Path(__file__).parent.parent / "charts/synth-operator"
TARGET: Final = CHART / "README.md"
DOCS: Final = "https://github.com/synth-operator/synth-operator/blob/main/docs"
INTRODUCTION: Final = f"""\
# synth-operator

Sweeps of synthetic microscopy images on Kubernetes: an operator turns a recipe and a product of axes into Jobs, which
write a dataset into an S3 store. Kubernetes 1.33 or newer, Helm 3 or 4.

    helm install synth charts/synth-operator --namespace synth --create-namespace \\
      --set image.repository=REGISTRY/synth-operator --set renderer.image.repository=REGISTRY/synth-renderer
    helm test synth --namespace synth

Pages: [first sweep, upgrades, rights and remedies]({DOCS}/kubernetes.md), [metrics]({DOCS}/metrics.md),
[runbooks of the alerts]({DOCS}/runbooks.md).

## Values

Unknown keys, wrong types and values that cannot work together are refused before anything is installed.

| value | default | meaning |
|---|---|---|
"""


@dataclass(frozen=True)
class Value:
    """A value or a group of values of the chart."""

    path: str
    default: str
    """Default as YAML in one line; empty for a group."""
    meaning: str
    """The comment above the key, in one line."""


def read_values(text: str) -> list[Value]:
    """Return values and groups in the order of values.yaml."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return list(_walk(root, "", text.splitlines()))


def _walk(node: yaml.MappingNode, prefix: str, lines: list[str]) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        meaning = _read_comment(lines, key.start_mark.line)
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            if meaning:
                yield Value(path, "", meaning)
            yield from _walk(value, f"{path}.", lines)
        else:
            yield Value(path, _format_default(value), meaning)


def _read_comment(lines: list[str], line: int) -> str:
    """Return the comment that ends above a line."""
    words: list[str] = []
    while line and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        words.insert(0, lines[line].strip().lstrip("# "))
    return " ".join(words).replace("<", "&lt;").replace("|", "\\|")


def _format_default(node: yaml.Node) -> str:
    data = yaml.safe_load(yaml.serialize(node))
    return yaml.safe_dump(data, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n").strip()


def format_readme() -> str:
    """Return the content of the file."""
    values = read_values((CHART / "values.yaml").read_text(encoding="utf-8"))
    rows = (f"| `{each.path}` | {f'`{each.default}`' if each.default else ''} | {each.meaning} |" for each in values)
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(format_readme(), encoding="utf-8") and 0)
