"""Write the CustomResourceDefinitions from the models into crds/ and into the chart."""

from __future__ import annotations

from pathlib import Path

import yaml

from synth_api.crd.resource_definitions import KINDS, build_definition

ROOT = Path(__file__).parent.parent
FOLDERS = (ROOT / "crds", ROOT / "charts/synth-operator/files/crds")


def main() -> None:
    """Write each definition into both folders."""
    for folder in FOLDERS:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            (folder / f"{kind.plural}.yaml").write_text(format_yaml(build_definition(kind)), encoding="utf-8")


def format_yaml(document: object) -> str:
    """Return a document as YAML in block style, with keys in their order."""
    return yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    main()
