"""The versions of a dataset as an Atom feed (RFC 4287), with one entry per version, under one policy.

Entry ids are made of the dataset, the policy, and the dates of the first version and of this one.
"""

from collections.abc import Sequence

from app.catalogue.records import Dataset
from app.catalogue.version_log import Version, step_to
from app.site.components.atom_entries import MEDIA_TYPE, add, entry, link, new_feed, urn, written
from app.site.corrected.changes.table import sentence


def feed(site: str, dataset: Dataset, query: str, shown: Sequence[Version], first: Sequence[Version]) -> bytes:
    """The feed of some versions, newest first. ``first`` holds the first version of all, if there is any."""
    tail = f"?{query}" if query else ""
    name = urn(dataset.name, query, *(version.since for version in first))
    root = new_feed(site, f"{dataset.title}: changes of the corrected test set", name)
    add(root, "subtitle", f"Policy: {query.replace('&', ', ')}" if query else "Policy of the paper")
    add(root, "updated", shown[0].since if shown else dataset.built_at)
    link(root, "self", f"{site}/{dataset.name}/changes.atom{tail}", MEDIA_TYPE)
    link(root, "alternate", f"{site}/{dataset.name}/changes{tail}", "text/html")
    for version in shown:
        told = sentence(step_to(version))
        tail = f"?version={version.name}" + (f"&{query}" if query else "")
        name = urn(dataset.name, query, version.since, str(version.position), version.name)
        made = entry(root, told, name, version.since)
        link(made, "alternate", f"{site}/{dataset.name}/changes{tail}", "text/html")
        if version.former is not None:
            link(made, "related", f"{site}/api/v1/datasets/{dataset.name}/changes{tail}", "application/json")
        before = f" came after version {version.former}" if version.former else ""
        says = f"Version {version.name} of {dataset.title}{before}. {told}. {version.note or ''}"
        add(made, "summary", says.strip())
    return written(root)
