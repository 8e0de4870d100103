"""A parser that learns its options when it is first used."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["LateParser"]


class LateParser(argparse.ArgumentParser):
    """The parser of one action of many: the others' modules are not imported, which would take longer than parsing.

    `declare` is called once, with the parser.
    """

    def __init__(self, *, declare: Callable[[argparse.ArgumentParser], None], **settings: Any) -> None:
        super().__init__(**settings)
        self._declare: Callable[[argparse.ArgumentParser], None] | None = declare

    def complete(self) -> None:
        """Declare the options, if that is not done."""
        if self._declare is not None:
            declare, self._declare = self._declare, None
            declare(self)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse, with all options declared."""
        self.complete()
        return super().parse_known_args(args, namespace)
