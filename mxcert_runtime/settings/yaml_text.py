"""YAML in which every value is a text, a list or a mapping, and whose work has bounds.

``yes``, ``0123`` and dates are the text that they are: passwords look like that. Of the tags only
those of YAML's own types count, and they change nothing. An alias is a short way to write much, so
what they all come to is counted before anything is made of them.
"""

from __future__ import annotations

from typing import Any

import yaml

#: PyYAML takes about 20 µs for a value; the largest settings have some thousand.
_MOST_VALUES = 30_000
_GREATEST_DEPTH = 50

_REPEATED_KEY = "a key stands there twice"
_TAG = "a tag, for which a text that begins with `!` is taken unless it is in quotes"
_TOO_MUCH = f"more than {_MOST_VALUES:,} values, with what aliases stand for"
_TOO_DEEP = f"more than {_GREATEST_DEPTH} levels"
_CYCLE = "an alias inside of what it stands for"
#: the rules of ours, which quote nothing of the text
RULES = frozenset({_REPEATED_KEY, _TAG, _TOO_MUCH, _TOO_DEEP, _CYCLE})

_KEPT_TAGS = frozenset({"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"})


def _refused(rule: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=rule, problem_mark=node.start_mark)


class TextLoader(yaml.SafeLoader):
    """PyYAML's safe loader with less in it; raises ``yaml.YAMLError`` for what it refuses."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose within the bounds of depth and number."""
        self._depth += 1
        self._count += 1
        if self._depth > _GREATEST_DEPTH or self._count > _MOST_VALUES:
            rule = _TOO_DEEP if self._depth > _GREATEST_DEPTH else _TOO_MUCH
            raise yaml.MarkedYAMLError(problem=rule, problem_mark=self.get_mark())
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        """Compose, if no key is there twice: before merge keys bring those of other mappings."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _refused(_REPEATED_KEY, key)
                seen.add(key.value)
        return node

    def get_single_node(self) -> yaml.Node | None:
        """The document, of which it is sure how much it comes to."""
        node = super().get_single_node()
        if node is not None:
            _weigh(node, {})
        return node

    def construct_by_kind(self, node: yaml.Node) -> Any:
        """A text, a list or a mapping, whatever type a tag of YAML's own says."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_yaml_map(node)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_yaml_seq(node)
        return node.value

    def refuse_tag(self, node: yaml.Node) -> Any:
        """Raise, without the tag: a password may begin with `!`."""
        raise _refused(_TAG, node)


def _weigh(node: yaml.Node, weights: dict[int, int]) -> int:
    """The number of values that a node comes to, with what its aliases stand for."""
    known = weights.get(id(node))
    if known is not None:
        if not known:
            raise _refused(_CYCLE, node)
        return known
    weights[id(node)] = 0
    weight = 1 + sum(_weigh(each, weights) for each in _children(node))
    if weight > _MOST_VALUES:
        raise _refused(_TOO_MUCH, node)
    weights[id(node)] = weight
    return weight


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT_TAGS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
TextLoader.yaml_constructors = {
    tag: yaml.SafeLoader.construct_yaml_null
    if tag == "tag:yaml.org,2002:null"
    else TextLoader.construct_by_kind
    for tag in yaml.SafeLoader.yaml_constructors
    if tag is not None
}
TextLoader.yaml_constructors[None] = TextLoader.refuse_tag
