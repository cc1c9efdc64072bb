"""Pages and comments name only files, modules and tests that exist, and links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("api", "dataset", "renderer", "operator", "cli", "reader")

_SKIPPED: Final = {".venv", ".git", "build", "site", "node_modules"}
_FOLDERS: Final = ("tests", "tools", "bench", "charts", "crds", "docs", "recipes", "examples")
_PATH: Final = re.compile(
    rf"(?<![\w/.$<-])(?:(?:{'|'.join(PACKAGES)})/synth_\w+|(?:{'|'.join(_FOLDERS)})/)[\w./-]*(?:::\w+)?"
    r"|(?<=`)[\w/]+/test_\w+\.py"
)
_MODULE: Final = re.compile(rf"(?<![\w/.-])synth_(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
_LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
_FENCE: Final = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"`[^`\n]*`")
_OUTSIDE: Final = re.compile(
    r"\.\./shared|(?<!docs/)\b(?:design|contracts|measurements|recipe-language)\.md|[Cc]ontracts:? "
)
"""Documents that are not part of the repository; `docs/contracts.md` is."""


def _files(pattern: str) -> Iterator[Path]:
    for path in sorted(ROOT.rglob(pattern)):
        inside = path.relative_to(ROOT)
        if not _SKIPPED.intersection(inside.parts) and inside.parts[0] != "shared":
            yield inside


PAGES: Final = tuple(_files("*.md"))
CURRENT: Final = tuple(page for page in PAGES if page.name != "CHANGELOG.md")
"""A changelog also names what no longer exists."""
SOURCES: Final = tuple(path for path in _files("*.py") if path.parts[0] in PACKAGES)


def test_repository_has_pages_and_sources() -> None:
    assert len(PAGES) > 20
    assert len(SOURCES) > 200


@pytest.mark.parametrize("page", CURRENT, ids=str)
def test_page_names_existing_paths(page: Path) -> None:
    text = (ROOT / page).read_text()
    missing = {name for name in _PATH.findall(text) if not _path_exists(name)}
    assert not missing


@pytest.mark.parametrize("page", CURRENT, ids=str)
def test_page_names_existing_modules(page: Path) -> None:
    text = (ROOT / page).read_text()
    missing = {name for name in _MODULE.findall(text) if not _module_exists(name)}
    assert not missing


@pytest.mark.parametrize("page", CURRENT, ids=str)
def test_page_names_existing_make_targets(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`| {4}|; )make ([a-z][\w-]*)", (ROOT / page).read_text()))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = _CODE.sub("", _FENCE.sub("", (ROOT / page).read_text()))
    broken = {target for target in _LINK.findall(text) if not _link_works(page, target)}
    assert not broken


@pytest.mark.parametrize("package", PACKAGES)
def test_comments_cite_documents_of_the_repository(package: str) -> None:
    cited = {}
    for source in SOURCES:
        if source.parts[0] == package:
            text = (ROOT / source).read_text()
            pages = re.findall(r"\bdocs/[\w./-]+\.md", text)
            outside = [match[0] for match in _OUTSIDE.finditer(text)]
            cited[str(source)] = [*outside, *(name for name in pages if not (ROOT / name).is_file())]
    assert not {source: names for source, names in cited.items() if names}


def test_architecture_shows_the_layers_of_each_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    for package in PACKAGES:
        (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == [f"synth_{package}"])
        names = (", ".join(f"`{name.strip()}`" for name in layer.split("|")) for layer in layers)
        assert f"| {package} | {' → '.join(names)} |" in page


def test_index_lists_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(index.read_text())}
    pages = {(ROOT / page).resolve() for page in PAGES if page.parent == Path("docs")}
    assert pages - listed == {index}


def _path_exists(name: str) -> bool:
    path, _, function = name.partition("::")
    path = path.rstrip(".-")
    if not (ROOT / path).exists():
        return False
    return not function or re.search(rf"\bdef {function}\(", (ROOT / path).read_text()) is not None


def _module_exists(name: str) -> bool:
    """True if the longest prefix that is a module defines the next word of the name."""
    first, *words = name.split(".")
    place = ROOT / first.removeprefix("synth_") / first
    for position, word in enumerate(words):
        if (place / word).is_dir():
            place = place / word
        elif (place / f"{word}.py").is_file():
            rest = words[position + 1 :]
            return not rest or _defines(place / f"{word}.py", rest[0])
        else:
            return _defines(place / "__init__.py", word)
    return True


def _defines(source: Path, word: str) -> bool:
    return re.search(rf"\b{word}\b", source.read_text()) is not None


def _link_works(page: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    if not file.exists():
        return False
    return not anchor or anchor in _anchors(file)


@cache
def _anchors(file: Path) -> frozenset[str]:
    """Anchors of a page's headings as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*?)\s*$", _FENCE.sub("", file.read_text()), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
