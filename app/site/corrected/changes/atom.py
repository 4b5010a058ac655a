"""The versions of a dataset as an Atom feed (RFC 4287), with one entry per version, under one policy.

Entry ids are made of values that never change (the dataset, the policy, and the dates of the first version and of this
one), so feed readers recognise entries even if the site moves.
"""

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

from app.catalogue.records import Dataset
from app.catalogue.version_log import Version, step_to
from app.site.corrected.changes.table import sentence

MEDIA_TYPE: Final = "application/atom+xml"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_NOT_IN_XML: Final = {**dict.fromkeys(set(range(32)) - {9, 10, 13}), 0xFFFE: None, 0xFFFF: None}
_OURS: Final = uuid.UUID("6f1c1c2e-6a0f-4c53-9a53-0e2b8f6f5d11")


def feed(site: str, dataset: Dataset, query: str, shown: Sequence[Version], first: Sequence[Version]) -> bytes:
    """The feed of some versions, newest first. ``first`` holds the first version of all, if there is any."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    tail = f"?{query}" if query else ""
    _add(root, "title", f"{dataset.title}: changes of the corrected test set")
    _add(root, "subtitle", f"Policy: {query.replace('&', ', ')}" if query else "Policy of the paper")
    _add(root, "id", _id(dataset, query, *(version.since for version in first)))
    _add(root, "updated", shown[0].since if shown else dataset.built_at)
    _link(root, "self", f"{site}/{dataset.name}/changes.atom{tail}", MEDIA_TYPE)
    _link(root, "alternate", f"{site}/{dataset.name}/changes{tail}", "text/html")
    author = ET.SubElement(root, f"{{{_ATOM}}}author")
    _add(author, "name", "Label errors")
    _add(author, "uri", f"{site}/")
    for version in shown:
        root.append(_entry(site, dataset, query, version))
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _entry(site: str, dataset: Dataset, query: str, version: Version) -> ET.Element:
    entry = ET.Element(f"{{{_ATOM}}}entry")
    told = sentence(step_to(version))
    tail = f"?version={version.name}" + (f"&{query}" if query else "")
    _add(entry, "title", told)
    _add(entry, "id", _id(dataset, query, version.since, str(version.position), version.name))
    _add(entry, "updated", version.since)
    _add(entry, "published", version.since)
    _link(entry, "alternate", f"{site}/{dataset.name}/changes{tail}", "text/html")
    if version.former is not None:
        _link(entry, "related", f"{site}/api/v1/datasets/{dataset.name}/changes{tail}", "application/json")
    before = f" came after version {version.former}" if version.former else ""
    says = f"Version {version.name} of {dataset.title}{before}. {told}. {version.note or ''}"
    _add(entry, "summary", says.strip())
    return entry


def _id(dataset: Dataset, *parts: str) -> str:
    return uuid.uuid5(_OURS, "\n".join((dataset.name, *parts))).urn


def _add(parent: ET.Element, tag: str, text: str) -> None:
    # Titles come from manifests, and XML cannot represent most control characters.
    ET.SubElement(parent, f"{{{_ATOM}}}{tag}").text = text.translate(_NOT_IN_XML)


def _link(parent: ET.Element, relation: str, address: str, media_type: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}link", {"rel": relation, "href": address, "type": media_type})
