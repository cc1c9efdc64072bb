"""Hooks of MkDocs for `make docs`: pages from outside docs/, the reference of custom resources and of the Python API.

Links from a page to a file that is no page of the site lead to the repository. A missing file fails the build.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import yaml
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("api", "dataset", "renderer", "operator", "cli", "reader")
PAGES_OUTSIDE_DOCS: Final = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
MERMAID: Final = ROOT / ".venv" / "share" / "mermaid.min.js"
LINK: Final = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")

Tree = dict[str, Any]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each folder in the navigation by its pages."""
    if MERMAID.exists():
        config.extra_javascript.append("assets/mermaid.min.js")
    config.nav = [expand_folder(entry) for entry in config.nav or []]
    return config


def expand_folder(entry: Any) -> Any:
    """Return a navigation entry with the pages of each folder that it names."""
    if isinstance(entry, list):
        return [expand_folder(part) for part in entry]
    if not isinstance(entry, dict):
        return entry
    [(title, content)] = entry.items()
    if not isinstance(content, str):
        return {title: expand_folder(content)}
    pages = sorted(name for name in list_pages() if name.startswith(content))
    return {title: sorted(pages, key=lambda name: (not name.endswith("README.md"), name.removesuffix(".md")))}


def list_pages() -> list[str]:
    """Return the source path of each page, as MkDocs names it."""
    docs = (path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return [*docs, *copied_pages(), *api_pages(), "custom-resources.md"]


def copied_pages() -> dict[str, Path]:
    """Return the pages and pictures that lie outside docs/: their path in the site -> their file."""
    examples = [path for path in (ROOT / "examples").rglob("*") if path.suffix in {".md", ".webp", ".png"}]
    files = [*(ROOT / name for name in PAGES_OUTSIDE_DOCS), *examples]
    return {file.relative_to(ROOT).as_posix(): file for file in files}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add all pages that are not in docs/."""
    for name, path in copied_pages().items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for name, content in {**api_pages(), "custom-resources.md": custom_resources()}.items():
        files.append(File.generated(config, name, content=content))
    if MERMAID.exists():
        files.append(File.generated(config, "assets/mermaid.min.js", abs_src_path=str(MERMAID)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files of the repository at the page of the site, else at the repository."""
    source = page.file.src_uri
    folder = PurePosixPath(source).parent if source in copied_pages() else "docs" / PurePosixPath(source).parent

    def rewrite(match: re.Match[str]) -> str:
        target = match[2]
        if re.match(r"[a-z]+:|/", target):
            return match[0]
        path = os.path.normpath(folder / target)
        name = path.removeprefix("docs/")
        if files.get_file_from_path(name):
            return f"{match[1]}{os.path.relpath(name, PurePosixPath(source).parent)}{match[3]}"
        if not (ROOT / path).exists():
            raise PluginError(f"{source}: link to '{target}', but there is no such file")
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{match[1]}{config.repo_url}/{kind}/main/{path}{match[3]}"

    return LINK.sub(rewrite, markdown)


def api_pages() -> dict[str, str]:
    """Return a page for each folder of modules: its path in the site -> its Markdown."""
    pages = {"api/README.md": "# Python API\n\nModules, classes and functions, from their docstrings.\n"}
    for package in PACKAGES:
        root = ROOT / package / f"synth_{package}"
        for init in sorted(root.rglob("__init__.py")):
            name = ".".join(init.parent.relative_to(root.parent).parts)
            modules = [name, *(f"{name}.{path.stem}" for path in sorted(init.parent.glob("[!_]*.py")))]
            pages[f"api/{name}.md"] = f"# {name}\n\n" + "\n\n".join(f"::: {module}" for module in modules)
    return pages


def custom_resources() -> str:
    """Return the page with every field of the custom resources, from the generated definitions."""
    lines = [
        "# Fields of SynthRecipe and SynthSweep",
        "",
        "Every field of the definitions in `crds/`, which `tools/crds.py` writes from `api/synth_api/resources/`.",
        "[SynthRecipe and SynthSweep](kubernetes-api.md) explains them with examples.",
    ]
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        for section in ("spec", "status"):
            lines += ["", f"## {definition['spec']['names']['kind']} {section}", ""]
            lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
            lines += [format_row(field, part) for field, part in walk_fields(schema.get(section, {}))]
    return "\n".join(lines) + "\n"


def walk_fields(schema: Tree, prefix: str = "") -> Iterator[tuple[str, Tree]]:
    """Yield each field with its path and its schema, parents first."""
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, part
        yield from walk_fields(part, f"{path}.")
        yield from walk_fields(part.get("items", {}), f"{path}[].")


def format_row(field: str, part: Tree) -> str:
    """Return a field as a row of a Markdown table."""
    kind = part.get("type", "any")
    if kind == "array":
        kind = f"array of {part.get('items', {}).get('type', 'any')}"
    if "enum" in part:
        kind = ", ".join(f"`{value}`" for value in part["enum"])
    default = f"`{part['default']}`" if "default" in part else ""
    meaning = " ".join(str(part.get("description", "")).split()).replace("|", "\\|")
    return f"| `{field}` | {kind} | {default} | {meaning} |"
