"""YAML as OmegaConf reads it: no duplicate keys, no dates, and `1e5` is a number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import ConstructorError

if TYPE_CHECKING:
    from yaml.nodes import MappingNode

_FLOAT = re.compile(
    r"""^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
        |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
        |\.[0-9_]+(?:[eE][-+][0-9]+)?
        |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
        |[-+]?\.(?:inf|Inf|INF)
        |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)


class RecipeLoader(yaml.SafeLoader):
    """YAML 1.1's safe subset with OmegaConf's changes."""

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """Return a mapping node. Raises ConstructorError for a repeated key; `<<` merges its keys later."""
        node: MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key_node, _ in node.value:
            key = (key_node.tag, key_node.value) if isinstance(key_node.value, str) else id(key_node)
            if key in seen:
                raise ConstructorError(None, None, f"the key '{key_node.value}' appears twice", key_node.start_mark)
            seen.add(key)
        return node


RecipeLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":float"))]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
RecipeLoader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
