"""The parts of an Atom feed (RFC 4287), for all feeds of the site.

Entry ids are made of values that never change, so feed readers recognise entries even if the site moves.
"""

import uuid
import xml.etree.ElementTree as ET
from typing import Final

MEDIA_TYPE: Final = "application/atom+xml"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_NOT_IN_XML: Final = {**dict.fromkeys(set(range(32)) - {9, 10, 13}), 0xFFFE: None, 0xFFFF: None}
_OURS: Final = uuid.UUID("6f1c1c2e-6a0f-4c53-9a53-0e2b8f6f5d11")


def new_feed(site: str, title: str, name: str) -> ET.Element:
    """A feed of the site with its author, without entries; ``name`` is its id."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    add(root, "title", title)
    add(root, "id", name)
    author = ET.SubElement(root, f"{{{_ATOM}}}author")
    add(author, "name", "Label errors")
    add(author, "uri", f"{site}/")
    return root


def entry(root: ET.Element, title: str, name: str, at: str) -> ET.Element:
    """A new entry, published at a time and not changed since; ``name`` is its id."""
    made = ET.SubElement(root, f"{{{_ATOM}}}entry")
    add(made, "title", title)
    add(made, "id", name)
    add(made, "updated", at)
    add(made, "published", at)
    return made


def urn(*parts: str) -> str:
    """An id that follows from its parts."""
    return uuid.uuid5(_OURS, "\n".join(parts)).urn


def add(parent: ET.Element, tag: str, text: str) -> None:
    """Add an element with text."""
    # Titles come from manifests, and XML cannot represent most control characters.
    ET.SubElement(parent, f"{{{_ATOM}}}{tag}").text = text.translate(_NOT_IN_XML)


def link(parent: ET.Element, relation: str, address: str, media_type: str) -> None:
    """Add a link."""
    ET.SubElement(parent, f"{{{_ATOM}}}link", {"rel": relation, "href": address, "type": media_type})


def written(root: ET.Element) -> bytes:
    """The feed as bytes."""
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body
