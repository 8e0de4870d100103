"""The links of an HTML page (PEP 503), and what else tells a page of an index from another web page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["LinkPage", "read_links"]

_FOR_PEOPLE = frozenset({"form", "script", "iframe", "input"})


@dataclass(slots=True)
class LinkPage:
    """What was seen: the attributes of each link, the base address, the version stated, tags meant for people."""

    links: list[dict[str, str]] = field(default_factory=list)
    base: str = ""
    version: str = "1.0"
    interactive: bool = False


def read_links(text: str) -> LinkPage:
    """Read the links of a page; HTML is never malformed, so nothing is raised."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = LinkPage()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Of an attribute given twice, the first one holds (HTML standard).
        values = {key: value or "" for key, value in reversed(attrs)}
        if tag == "a" and values.get("href"):
            self.page.links.append(values)
        elif tag == "base" and not self.page.base:
            self.page.base = values.get("href", "")
        elif tag == "meta" and values.get("name", "").lower() == "pypi:repository-version":
            self.page.version = values.get("content") or "1.0"
        elif tag in _FOR_PEOPLE:
            self.page.interactive = True
