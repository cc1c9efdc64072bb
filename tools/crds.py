"""Writes the CustomResourceDefinitions from the models: into crds/ and, for the chart, beside it."""

from __future__ import annotations

from pathlib import Path

import yaml

from synth_api.crd.resource_definitions import KINDS, build_definition

ROOT = Path(__file__).parent.parent
FOLDERS = (ROOT / "crds", ROOT / "charts/synth-operator/files/crds")


def main() -> None:
    """Write every definition into every folder."""
    for folder in FOLDERS:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            (folder / f"{kind.plural}.yaml").write_text(text(build_definition(kind)), encoding="utf-8")


def text(document: object) -> str:
    """A document as people read it: block style, keys in their order."""
    return yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    main()
