"""YAML files as plain values, with bounds on size, depth and aliases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from synth_api.composition.plain_values import MAX_DEPTH
from synth_api.composition.yaml_loader import RecipeLoader
from synth_api.composition.yaml_numbers import refuse_ambiguous_numbers
from synth_api.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_FILE_BYTES: Final = 256 * 1024


def load_yaml(path: Path) -> Any:
    """Return the value in a recipe file.

    Raises InputError for a file that is missing, too large or no YAML, for tags, deep nesting, multiplying aliases and
    ambiguous numbers.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise InputError(
                str(path), f"the file has {size:,} bytes, a recipe at most {_MAX_FILE_BYTES:,}; shorten it"
            )
        text = path.read_text(encoding="utf-8")
        _check_events(path, text)
        return load_text(str(path), text)
    except InputError:
        raise
    except UnicodeDecodeError:
        raise InputError(str(path), "this is not YAML: it is not text in UTF-8; give a recipe file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}; give the path of a recipe file") from None
    except yaml.YAMLError as error:
        raise InputError(str(path), f"this is not YAML: {_describe_yaml_error(error)}; correct it there") from None
    except ValueError:
        raise InputError(str(path), "a number in it has too many digits; write one within ±(2^53 - 1)") from None


def load_text(where: str, text: str) -> Any:
    """Return the value of YAML text; `where` names its place in messages.

    Raises InputError for ambiguous numbers, yaml.YAMLError and ValueError.
    """
    loader = RecipeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        refuse_ambiguous_numbers(where, root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


@dataclass
class _OpenNode:
    """Size of an open YAML node with its aliases expanded: characters and nodes in it, and levels below it."""

    anchor: str | None
    size: int = 1
    height: int = 0

    def add(self, child: _OpenNode) -> None:
        self.size += child.size
        self.height = max(self.height, child.height + 1)


def _check_events(path: Path, text: str) -> None:
    """Raise InputError for tags, deep nesting and multiplying aliases before any value is constructed.

    PyYAML takes minutes for 100,000 brackets, and nine levels of aliases make 10^9 values.
    """
    open_nodes, anchors = [_OpenNode(None)], dict[str, _OpenNode]()
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        tag = getattr(event, "tag", None)
        if tag:
            written = tag.replace("tag:yaml.org,2002:", "!!", 1)
            raise InputError(str(path), f"line {line}: the YAML tag '{written}' is not allowed; write a plain value")
        if isinstance(event, CollectionStartEvent):
            open_nodes.append(_OpenNode(event.anchor))
        elif isinstance(event, CollectionEndEvent | ScalarEvent | AliasEvent):
            _close_node(path, line, event, open_nodes, anchors)
        if len(open_nodes) - 1 > MAX_DEPTH:
            raise InputError(str(path), f"is nested more than {MAX_DEPTH} deep; flatten it")


def _close_node(
    path: Path, line: int, event: yaml.Event, open_nodes: list[_OpenNode], anchors: dict[str, _OpenNode]
) -> None:
    """Count the node that ends with the event as part of the innermost open one."""
    if isinstance(event, AliasEvent):
        if any(node.anchor == event.anchor for node in open_nodes):
            raise InputError(
                str(path), f"line {line}: the alias '*{event.anchor}' lies within its own anchor; write the value out"
            )
        node = anchors.get(event.anchor or "", _OpenNode(None))
    else:
        node = _OpenNode(event.anchor, len(event.value)) if isinstance(event, ScalarEvent) else open_nodes.pop()
        if node.anchor in anchors:
            raise InputError(str(path), f"line {line}: the anchor '&{node.anchor}' is there twice; rename one of them")
        if node.anchor:
            anchors[node.anchor] = node
    open_nodes[-1].add(node)
    if open_nodes[-1].size > _MAX_FILE_BYTES:
        raise InputError(
            str(path),
            f"line {line}: with its aliases written out the file has more than {_MAX_FILE_BYTES:,} characters; "
            "use fewer",
        )
    if len(open_nodes) - 1 + node.height > MAX_DEPTH:
        raise InputError(
            str(path), f"line {line}: with its aliases it is nested more than {MAX_DEPTH} deep; flatten it"
        )


def _describe_yaml_error(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or ' '.join(str(error).split())}{place}"
