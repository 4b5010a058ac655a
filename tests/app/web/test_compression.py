"""Answers made smaller on their way: every encoding read back by its own library; q-values, streams, parts, tags."""

import gzip
import io
import socket
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.web.compression import FOR_STREAMS, FOR_WHOLES, Encoder, best_encoding, compressed, whole
from tests.app.site.corrected.test_downloads import API, open_files
from tests.waiting import wait_until

PAGE, CSV = "/sample-texts", "/api/v1/datasets/sample-texts/corrected.csv"
ADDRESSES = [PAGE, CSV, "/api/v1/datasets/sample-texts/issues", "/static/site.css", "/sample-texts/changes.atom"]


def decoded(raw: bytes, encoding: str) -> bytes:
    """What the library of an encoding reads; nothing may be left behind its end."""
    if encoding == "gzip":
        return gzip.decompress(raw)
    if encoding == "br":
        return brotli.decompress(raw)
    reader = zstandard.ZstdDecompressor().decompressobj()
    found = reader.decompress(raw)
    assert reader.eof
    assert reader.unused_data == b""
    return found


def raw_of(client: httpx.Client, address: str, accept: str, **headers: str) -> tuple[httpx.Response, bytes]:
    with client.stream("GET", address, headers={"Accept-Encoding": accept, **headers}) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_encoding_says_what_there_is_without(client, address, encoding):
    plain, expected = raw_of(client, address, "identity")
    answer, raw = raw_of(client, address, encoding)
    assert "content-encoding" not in plain.headers
    assert answer.headers["content-encoding"] == encoding
    assert decoded(raw, encoding) == expected
    assert len(raw) < len(expected) / 2
    for one in (plain, answer):
        assert "accept-encoding" in one.headers["vary"].lower()
    if "content-length" in answer.headers:
        assert int(answer.headers["content-length"]) == len(raw)
    # Twice: what was made and what was kept.
    assert raw_of(client, address, encoding)[1] == raw
    assert raw_of(client, address, "identity")[1] == expected


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_large_files_too(real, form, encoding):
    address = f"{API}/imagenet/corrected.{form}?removed=include"
    expected = raw_of(real, address, "identity")[1]
    answer, raw = raw_of(real, address, encoding)
    assert answer.headers["content-encoding"] == encoding
    assert decoded(raw, encoding) == expected
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("address", ["/cifar10", f"{API}/cifar10/corrected.csv", f"{API}/cifar10/corrected.json"])
def test_httpx_and_requests_read_what_they_ask_for(real, real_site, address):
    import requests

    plain = raw_of(real, address, "identity")[1]
    found = real.get(address)
    assert found.headers["content-encoding"] in ("br", "zstd")
    assert found.content == plain
    assert requests.get(real_site + address, timeout=30).content == plain


ACCEPTS = [
    ("", None),
    ("identity", None),
    ("deflate", None),
    ("gzip", "gzip"),
    ("x-gzip", "gzip"),
    ("GZIP", "gzip"),
    ("gzip;q=0", None),
    ("gzip;q=0.0, br;q=0", None),
    ("gzip, deflate, br, zstd", "br"),
    ("gzip;q=1.0, br;q=0.8, zstd;q=0.9", "gzip"),
    ("br;q=0.5, gzip;q=0.4", "br"),
    ("zstd , gzip", "zstd"),
    ("*", "br"),
    ("*;q=0", None),
    ("br;q=0, *", "zstd"),
    ("identity;q=1, gzip;q=0.5", None),
    ("identity;q=0.5, gzip;q=0.5", "gzip"),
    ("gzip;q=nonsense", None),
    ("gzip;q=7", None),
    ("gzip; q=0.3 , br ; q=0.2", "gzip"),
    (";;;,,,;q=", None),
]


@pytest.mark.parametrize(("accept", "expected"), ACCEPTS)
def test_the_client_chooses(client, accept, expected):
    assert FOR_WHOLES == ("br", "zstd", "gzip")
    answer, _ = raw_of(client, PAGE, accept)
    assert answer.headers.get("content-encoding") == expected


@pytest.mark.parametrize(("accept", "expected"), [("gzip, br, zstd", "zstd"), ("gzip, br", "gzip"), ("br", "br")])
def test_streams_are_not_kept_waiting_for_their_compressor(client, accept, expected):
    assert raw_of(client, CSV, accept)[0].headers["content-encoding"] == expected


@given(st.text(max_size=40), st.sampled_from([FOR_WHOLES, FOR_STREAMS]))
def test_no_header_is_an_error(accept, offered):
    assert best_encoding(accept, offered) in (None, *offered)


@given(st.lists(st.binary(max_size=3000)), st.sampled_from(FOR_WHOLES), st.booleans())
def test_pieces_are_one_stream(pieces, encoding, flush):
    encoder = Encoder(encoding)
    raw = b"".join([encoder.piece(piece, flush=flush) for piece in pieces]) + encoder.end()
    assert decoded(raw, encoding) == b"".join(pieces)
    assert decoded(b"".join(compressed(iter(pieces), encoding)), encoding) == b"".join(pieces)
    assert decoded(whole(b"".join(pieces), encoding), encoding) == b"".join(pieces)


@pytest.mark.parametrize("encoding", FOR_STREAMS)
def test_the_first_piece_is_on_its_way_before_the_second_is_made(encoding):
    def pieces():
        yield b"first" * 10
        raise ZeroDivisionError

    stream = compressed(pieces(), encoding)
    reader = {
        "gzip": lambda raw: gzip.GzipFile(fileobj=io.BytesIO(raw)).read1(50),
        "br": lambda raw: brotli.Decompressor().process(raw),
        "zstd": lambda raw: zstandard.ZstdDecompressor().decompressobj().decompress(raw),
    }[encoding]
    assert reader(next(stream)) == b"first" * 10
    with pytest.raises(ZeroDivisionError):
        next(stream)


def test_what_a_client_has_is_known_in_whichever_encoding_it_came(client):
    for address in ADDRESSES:
        tags = {}
        for encoding in ("identity", "br", "zstd", "gzip"):
            answer, _ = raw_of(client, address, encoding)
            tags[encoding] = answer.headers["etag"]
            again, raw = raw_of(client, address, encoding, **{"If-None-Match": tags[encoding]})
            assert (again.status_code, raw) == (304, b"")
        # One that is strong would promise the same bytes.
        assert all(tags[encoding].startswith("W/") for encoding in ("br", "zstd", "gzip"))


def test_parts_are_those_of_the_file_itself(client):
    plain = raw_of(client, CSV, "identity")[1]
    for accept in ("gzip, br, zstd", "identity"):
        answer, raw = raw_of(client, CSV, accept, Range="bytes=10-29")
        assert (answer.status_code, raw) == (206, plain[10:30])
        assert "content-encoding" not in answer.headers
    whole_answer, _ = raw_of(client, CSV, "zstd")
    # Whoever has the compressed file must not be led to believe that its bytes can be continued.
    assert "accept-ranges" not in whole_answer.headers
    assert "accept-ranges" in raw_of(client, CSV, "identity")[0].headers


@pytest.mark.parametrize("form", ["npy", "parquet", "npz"])
def test_files_that_are_binary_go_as_they_are(client, form):
    address = CSV.replace(".csv", f".{form}")
    answer, raw = raw_of(client, address, "zstd, br, gzip")
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(raw)


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_head_says_what_get_would(client, address, encoding):
    got, _ = raw_of(client, address, encoding)
    headed = client.head(address, headers={"Accept-Encoding": encoding})
    for name in ("content-type", "content-encoding", "content-length", "etag", "vary", "accept-ranges"):
        assert headed.headers.get(name) == got.headers.get(name), name
    assert headed.content == b""


def test_small_answers_and_pictures_stay_as_they_are(client):
    assert "content-encoding" not in client.get("/healthz", headers={"Accept-Encoding": "br"}).headers
    issue = client.get("/api/v1/datasets/sample-digits/issues?limit=1").json()["items"][0]
    picture = client.get(issue["links"]["media"]["image"], headers={"Accept-Encoding": "br, zstd, gzip"})
    assert "content-encoding" not in picture.headers


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux lists them")
def test_a_client_that_goes_away_ends_a_compressed_stream(real_site, real, real_catalogue):
    assert real.get("/healthz").status_code == 200, "the site has its catalogue open"
    before = open_files(real_catalogue)
    host, port = real_site.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        request = f"GET {API}/imagenet/corrected.csv HTTP/1.1\r\nHost: x\r\nAccept-Encoding: zstd\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    wait_until(lambda: open_files(real_catalogue) <= before, "the end of a stream that nobody reads")
    assert real.get("/healthz").status_code == 200


def test_what_varies_is_said_once(client):
    for name in ("corrected.csv", "corrected.jsonl"):
        response = client.get(f"/api/v1/datasets/sample-digits/{name}", headers={"accept-encoding": "identity"})
        assert response.headers["vary"] == "Accept-Encoding"
