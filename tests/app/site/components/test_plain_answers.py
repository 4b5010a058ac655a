"""The lists of issues, which the site makes by the shortest way, beside the same lists made by the plainest one.

The oracle reads the tables row by row with the driver alone, sorts and cuts in Python, and lets a template set every
card. It must come to the same bytes.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from jinja2 import Environment

from app.domain.review.verdicts import Category
from app.site.components.captions import badge, name_votes, vote_sentence
from app.site.components.charts import vote_bar

WALL = """\
<ol class="wall wall-{{ widest }}">
{% for issue in issues %}
{% set look %}{{ "/%s/issues/%d%s" % (name, issue.idx, tail) }}{% endset %}
<li class="card {{ issue.kind }}" id="i{{ issue.idx }}">
{%- if issue.kind == "image" %}<a class="look" href="{{ look }}">{% endif %}
{%- if issue.size %}
<img src="{{ issue.small }}"{% if issue.larger %} srcset="{{ issue.small }} {{ issue.size[0] }}w,\
 {{ issue.base }}/image {{ issue.larger }}w"\
 sizes="(min-width: 62rem) 12rem, 45vw"{% endif %} width="{{ issue.size[0] }}"\
 height="{{ issue.size[1] }}" alt="Example {{ issue.idx }}"{% if loop.index > 12 %} loading="lazy"{% endif %}\
 decoding="async">
{%- elif issue.kind == "audio" %}
{%- if issue.media.waveform %}<img class="wave" src="{{ issue.base }}/waveform" width="{{ issue.media.waveform[0] }}"\
 height="{{ issue.media.waveform[1] }}" alt="" loading="lazy">{% endif %}
<audio controls preload="none" src="{{ issue.base }}/audio" aria-label="Example {{ issue.idx }}"></audio>
{%- elif issue.kind == "text" and issue.excerpt|length > 180 %}
<details class="excerpt"><summary><span class="clamp">{{ issue.excerpt }}</span></summary>
{%- if issue.media.text and issue.excerpt.endswith("…") %}
<p class="whole"><a href="{{ issue.base }}/text">Whole text</a></p>{% endif %}</details>
{%- elif issue.kind == "text" %}<p class="quote">{{ issue.excerpt }}</p>
{%- endif %}
{%- if issue.kind != "image" %}<a class="look" href="{{ look }}"><span class="hidden">Example </span>{% endif -%}
<span class="no">{{ issue.idx }}</span></a>
{%- set wrong = issue.category in ("correctable", "neither") -%}
<dl class="labels"><div><dt>given</dt><dd class="given{% if wrong %} wrong{% endif %}">{{ issue.given }}</dd></div>
{%- if issue.other is not none %}
<div><dt>{{ issue.word }}</dt><dd class="{{ issue.word }}">{{ issue.other }}</dd></div>
{%- endif %}</dl>
{{- issue.badge }}
{%- if issue.votes is not none %}<p class="votes">
{%- if issue.bar %}{{ issue.bar }}{% endif %}<span>{{ issue.said }}</span></p>{% endif %}
{%- if issue.kind == "plain" and issue.url %}
<p class="elsewhere"><a href="{{ issue.there }}" rel="noreferrer">{{ issue.where }}</a></p>{% endif %}</li>
{% endfor %}
</ol>
"""
WORDS = {"correctable": "corrected", "multi_label": "also", "neither": "alternative", "non_agreement": "alternative"}


def plain(text: str) -> str:
    """Markup without the line breaks that make the template above readable."""
    return "".join(line.strip() for line in text.splitlines())


class Plain:
    """A catalogue read the plainest way."""

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            self.datasets = {row["name"]: row for row in connection.execute("SELECT * FROM datasets")}
            self.issues = [dict(row) for row in connection.execute("SELECT * FROM issues")]
            self.verdicts = {(v["issue_id"], v["agreement"]): v for v in connection.execute("SELECT * FROM verdicts")}
            names = {(c["dataset_id"], c["class_id"]): c["name"] for c in connection.execute("SELECT * FROM classes")}
            self.named: dict[int, dict[str, int]] = {}
            for v in connection.execute("SELECT * FROM votes WHERE option = 'other' AND n > 0 ORDER BY position"):
                for c in json.loads(v["classes"] or "[]"):
                    self.named.setdefault(v["issue_id"], {})[names[v["dataset_id"], c]] = v["n"]
            self.members = {
                (row["dataset_id"], row["label_id"]): [
                    {"id": c, "name": names[row["dataset_id"], c]} for c in json.loads(row["members"])
                ]
                for row in connection.execute("SELECT * FROM label_sets")
            }

    def list(self, name: str, agreement: int, category: str | None, sort: str) -> list[dict[str, Any]]:
        """Issues of a dataset with their labels, votes and media as values, in order."""
        dataset = self.datasets[name]
        many = any(len(members) != 1 for (d, _), members in self.members.items() if d == dataset["id"])
        found = []
        for row in self.issues:
            verdict = self.verdicts.get((row["id"], agreement))
            word = verdict["category"] if verdict else "unreviewed"
            if row["dataset_id"] != dataset["id"] or category not in (None, word):
                continue
            issue: dict[str, Any] = {**row, "category": word}
            for field in ("corrected", "confidence", "probability_right"):
                issue[field] = verdict[field] if verdict else None
            for role in ("given", "guessed", "shown", "corrected"):
                members = None if issue[role] is None else self.members[dataset["id"], issue[role]]
                issue[role] = members if members is None or many else members[0]
            for field in ("votes", "media"):
                issue[field] = None if row[field] is None else json.loads(row[field])
            # Cards name the class that a vote for another one is for.
            issue["spelled"] = {}
            for option, n in (issue["votes"] or {}).items():
                issue["spelled"] |= self.named.get(row["id"], {option: n}) if option == "other" else {option: n}
            found.append(issue)
        columns = {"suspicion": "id", "margin": "by_margin", "index": "idx", "disagreement": "by_disagreement"}
        return sorted(found, key=lambda issue: issue[columns[sort.strip("-")]], reverse=sort.startswith("-"))


def as_json(site: str, dataset: sqlite3.Row, issues: list[dict[str, Any]]) -> bytes:
    """The items of an answer of the API."""
    media = f"{site}/media/{dataset['name']}/{dataset['version']}"
    items = []
    for i in issues:
        fields = ("corrected", "category", "consensus", "votes", "self_confidence", "normalized_margin", "rank")
        items.append(
            {"index": i["idx"], "key": i["key"], "given": i["given"], "guessed": i["guessed"]}
            | {"reviewed_guess": i["shown"]}
            | {field: i[field] for field in fields}
            | {
                "flagged": bool(i["flagged"]),
                "opinions": None,  # no opinion was loaded
                "confidence": i["confidence"],
                "probability_right": i["probability_right"],
                "links": {
                    "self": f"{site}/api/v1/datasets/{dataset['name']}/issues/{i['idx']}",
                    "page": f"{site}/{dataset['name']}/issues/{i['idx']}",
                    "media": {kind: f"{media}/{i['idx']}/{kind}" for kind in i["media"] or ()},
                    "source": i["url"],
                },
            }
        )
    return orjson.dumps(items)


def as_html(dataset: sqlite3.Row, issues: list[dict[str, Any]], tail: str) -> str:
    """The wall of cards of a gallery."""
    options = json.loads(dataset["vote_options"])
    shown = [dressed(dataset, issue, options) for issue in issues]
    kinds = [issue["kind"] for issue in shown]
    widest = min(kinds, key=["image", "text", "audio", "plain"].index)
    template = Environment(autoescape=True, trim_blocks=True).from_string(WALL)
    return plain(template.render(issues=shown, name=dataset["name"], tail=tail, widest=widest))


def dressed(dataset: sqlite3.Row, issue: dict[str, Any], options: list[str]) -> dict[str, Any]:
    media = issue["media"] or {}
    size = media.get("thumbnail") or media.get("image")
    base = f"/media/{dataset['name']}/{dataset['version']}/{issue['idx']}"
    roles = {role: issue[role] if isinstance(issue[role], list | None) else [issue[role]] for role in
             ("given", "guessed", "corrected")}  # fmt: skip
    names = {role: label and (" · ".join(c["name"] for c in label)) for role, label in roles.items()}
    votes = None if issue["votes"] is None else tuple(issue["spelled"].items())
    kind = "image" if size else "audio" if "audio" in media else "text" if issue["excerpt"] is not None else "plain"
    said = ""
    if votes is not None:
        said = (
            vote_sentence(votes, names["given"], names["guessed"]) if options else name_votes(votes, dataset["raters"])
        )
    return issue | {
        "kind": kind,
        "media": media,
        "base": base,
        "size": size,
        "small": f"{base}/{'thumbnail' if 'thumbnail' in media else 'image'}",
        "larger": media["image"][0] if len({*media} & {"image", "thumbnail"}) == 2 and media["image"] > size else None,
        "given": names["given"],
        "other": names["corrected"] or names["guessed"],
        "word": WORDS.get(issue["category"], "guessed"),
        "badge": badge(Category(issue["category"]), issue["consensus"]),
        "bar": vote_bar(votes) if options and votes is not None else None,
        "votes": votes,
        "said": said,
        "there": re.sub(
            r"^http://youtu.be/(.{11})\?start=(\d+)&end=\d+$",
            r"https://www.youtube.com/watch?v=\1&t=\2s",
            issue["url"] or "",
        ),
        "where": "Listen on YouTube"
        if "youtu.be" in (issue["url"] or "")
        else f"See it at {httpx.URL(issue['url'] or '').host}",
    }


@pytest.fixture(scope="module")
def oracle(real_catalogue: Path) -> Plain:
    return Plain(real_catalogue)


@pytest.fixture(scope="module")
def site(real_site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=real_site, timeout=30) as client:
        yield client


ASKED = [
    ("mnist", 3, None, "suspicion"),
    ("cifar10", 4, None, "-margin"),
    ("cifar100", 5, "correctable", "suspicion"),
    ("caltech256", 3, "multi_label", "index"),
    ("20news", 3, None, "disagreement"),
    ("imdb", 3, "non_agreement", "-index"),
    ("amazon", 3, None, "suspicion"),
    ("audioset", 3, None, "suspicion"),
    ("audioset", 4, "correctable", "-suspicion"),
]


@pytest.mark.parametrize(("name", "agreement", "category", "sort"), ASKED)
def test_pages_are_what_plain_reads_make_them(site, oracle, name, agreement, category, sort):
    wanted = {"category": category, "agreement": str(agreement) if agreement != 3 else None, "sort": sort}
    query = {key: value for key, value in wanted.items() if value not in (None, "suspicion")}
    tail = str(httpx.QueryParams({"category": "any"} | query))
    issues = oracle.list(name, agreement, category, sort)
    dataset, address, page = oracle.datasets[name], f"/api/v1/datasets/{name}/issues", f"/{name}"
    assert issues, "the case shows something"
    n = 24 if dataset["modality"] == "text" else 36
    for start in range(0, min(len(issues), 3 * n), n):
        some = list(islice(issues, start, start + n))
        answer, html = (
            site.get(address, params=query | {"limit": n}),
            site.get(page, params={"category": "any"} | query).text,
        )
        assert b'"items":' + as_json(str(site.base_url).rstrip("/"), dataset, some) in answer.content
        assert as_html(dataset, some, f"?{tail}") in plain(html)
        assert answer.json()["total"] == len(issues)
        following = answer.json()["next"]
        assert (following is None) is (start + n >= len(issues))
        if following:
            query["after"] = httpx.URL(following).params["after"]
