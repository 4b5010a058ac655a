"""No kind of page is heavy: with its style sheets and scripts it stays under 150 kB as sent, pictures apart."""

import re
from functools import lru_cache

import httpx
import pytest

from benchmarks.phone import MOST_BYTES, pages_of

PARTS = re.compile(r'<(?:link rel="stylesheet" href|script src)="([^"]+)"')


def sent(client: httpx.Client, path: str) -> tuple[int, str]:
    """The bytes of an answer as they are sent, and its text."""
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        assert answer.status_code == 200, path
        answer.read()
        return answer.num_bytes_downloaded, answer.text


def require_light(site: str) -> int:
    with httpx.Client(base_url=site, timeout=60) as client:

        @lru_cache
        def part(address: str) -> int:
            return sent(client, address)[0]

        heavy, n = {}, 0
        for path in pages_of(site):
            size, html = sent(client, path)
            parts = {address.replace("&amp;", "&") for address in PARTS.findall(html)}
            assert any(".css" in address for address in parts), path
            total, n = size + sum(map(part, parts)), n + 1
            if total >= MOST_BYTES:
                heavy[path] = total
        assert heavy == {}
        return n


def test_pages_of_the_sample_are_light(sample_site: str):
    assert require_light(sample_site) > 40


@pytest.mark.slow
def test_pages_of_the_release_are_light(real_site: str):
    assert require_light(real_site) > 80
