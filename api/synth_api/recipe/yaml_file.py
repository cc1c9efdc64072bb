"""A YAML file as a plain value, or one sentence why it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

from synth_api.errors import InputError
from synth_api.recipe.plain import MAX_DEPTH
from synth_api.recipe.yaml_loader import RecipeLoader

if TYPE_CHECKING:
    from pathlib import Path

_MAX_FILE_BYTES: Final = 256 * 1024


def load_yaml(path: Path) -> Any:
    """The value in a recipe file. Raises InputError: missing, too large, not YAML, tags, anchors, deep nesting."""
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise InputError(
                str(path), f"the file has {size:,} bytes, a recipe at most {_MAX_FILE_BYTES:,}; shorten it"
            )
        text = path.read_text(encoding="utf-8")
        _check_events(path, text)
        return yaml.load(text, RecipeLoader)
    except InputError:
        raise
    except UnicodeDecodeError:
        raise InputError(str(path), "this is not YAML: it is no text in UTF-8; give a recipe file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}; give the path of a recipe file") from None
    except yaml.YAMLError as error:
        raise InputError(str(path), f"this is not YAML: {_yaml_problem(error)}; correct it there") from None
    except ValueError:
        raise InputError(str(path), "a number in it has too many digits; write one within ±(2^53 - 1)") from None


def _check_events(path: Path, text: str) -> None:
    """Refuse anchors, tags and deep nesting as they come: PyYAML takes minutes for 100,000 brackets."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InputError(str(path), f"is nested more than {MAX_DEPTH} deep; flatten it")
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise InputError(
                str(path),
                f"line {line}: the YAML anchor or alias '{event.anchor}' is not allowed; use ${{a.b}} instead",
            )
        tag = getattr(event, "tag", None)
        if tag:
            written = tag.replace("tag:yaml.org,2002:", "!!", 1)
            raise InputError(str(path), f"line {line}: the YAML tag '{written}' is not allowed; write a plain value")


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or ' '.join(str(error).split())}{place}"
