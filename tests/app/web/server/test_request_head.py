"""What the head of a request may say: nothing that a proxy could read in another way. A real server, raw bytes."""

import contextlib
import json
import re
import socket

import pytest

#: Answered if anybody takes it for a request of its own.
NEXT = b"GET /healthz HTTP/1.1\r\nHost: labels.example\r\nConnection: close\r\n\r\n"
PAGE = b"/about/errors"
PATIENCE = 60.0


def said(site: str, *lines: bytes, body: bytes = b"") -> tuple[list[int], bytes]:
    """The statuses, and all that a server says until it closes the connection, to lines and a request after them."""
    found = b""
    with socket.create_connection(("127.0.0.1", int(site.rpartition(":")[2])), PATIENCE) as connection:
        connection.sendall(b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body + NEXT)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                found += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", found)], found


def detail(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    text: str = json.loads(body)["detail"]
    return text


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"http://labels.example/about/errors", b"labels.example"),
        (b"HTTP://LABELS.example/about/errors", b"Labels.example"),
        (b"https://labels.example:8443/about/errors", b"labels.example:8443"),
        (b"http://[::1]:80/about/errors", b"[::1]:80"),
        (b"http://labels.example:99999/about/errors", b"labels.example:99999"),
        (b"http://labels.example", b"labels.example"),
        (b"http://labels.example?a=http://b", b"labels.example"),
        (b"/about/errors?of=http://other.example/", b"labels.example"),
    ],
)
def test_an_address_in_full_is_asked_of_the_host_it_names(sample_site: str, target: bytes, host: bytes) -> None:
    statuses, _ = said(sample_site, b"GET " + target + b" HTTP/1.1", b"Host: " + host)
    assert statuses == [200, 200]


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize(
    "target",
    [
        b"http://other.example/about/errors",
        b"http://labels.example:80/about/errors",
        b"http://labels.example.other.example/",
        b"http://labels.example@other.example/",
        b"http://labels.example\\@other.example/",
        b"http://other.example?/labels.example",
        b"http:///about/errors",
        b"ftp://labels.example/about/errors",
        b"*",
        b"about/errors",
        b"labels.example:443",
    ],
)
def test_an_address_of_another_host_or_of_no_form_is_refused(sample_site: str, target: bytes, version: bytes) -> None:
    """Whoever stands between may go by the address (RFC 9112, section 3.2.2), and we would by the header."""
    statuses, answer = said(sample_site, b"GET " + target + b" HTTP/" + version, b"Host: labels.example")
    assert statuses == [400]
    assert "callback" not in detail(answer)


def test_the_refusal_names_both_hosts(sample_site: str) -> None:
    _, answer = said(sample_site, b"GET http://other.example/ HTTP/1.1", b"Host: labels.example")
    assert detail(answer) == "The request is for host 'other.example', and its Host header says 'labels.example'."


def test_a_connection_elsewhere_is_not_made(sample_site: str) -> None:
    statuses, answer = said(sample_site, b"CONNECT other.example:443 HTTP/1.1", b"Host: other.example:443")
    assert statuses == [400]
    assert "other.example:443" in detail(answer)


@pytest.mark.parametrize(
    "fields", [[], [b"Host: labels.example", b"Host: other.example"], [b"Host: labels.example"] * 2]
)
@pytest.mark.parametrize("path", [PAGE, b"/healthz"])
def test_a_request_names_one_host(sample_site: str, fields: list[bytes], path: bytes) -> None:
    statuses, answer = said(sample_site, b"GET " + path + b" HTTP/1.1", *fields)
    assert statuses == [400]
    assert "Host" in detail(answer)


def test_an_old_client_need_not_name_a_host(sample_site: str) -> None:
    assert said(sample_site, b"GET /healthz HTTP/1.0")[0] == [200]


@pytest.mark.parametrize("version", [b"2.0", b"0.9"])
def test_versions_of_http_that_are_not_spoken_are_refused(sample_site: str, version: bytes) -> None:
    statuses, answer = said(sample_site, b"GET " + PAGE + b" HTTP/" + version, b"Host: labels.example")
    assert statuses == [400]
    assert version.decode() in detail(answer)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([b"Transfer-Encoding: gzip, chunked"], 501),
        ([b"Transfer-Encoding: gzip,chunked"], 501),
        ([b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"], 501),
        ([b"Transfer-Encoding: , chunked"], 501),
        ([b"Transfer-Encoding: identity, chunked"], 501),
        ([b"Transfer-Encoding: gzip"], 501),
        ([b"Transfer-Encoding: identity"], 501),
        ([b"Transfer-Encoding: chunked, gzip"], 400),
        ([b"Transfer-Encoding: chunked, chunked"], 400),
        ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], 400),
        ([b"Transfer-Encoding: chunked;a=b"], 501),
        ([b"Transfer-Encoding: xchunked"], 501),
        ([b"Transfer-Encoding: \x0bchunked"], 400),
        ([b"Transfer-Encoding:"], 400),
        ([b"Transfer-Encoding : chunked"], 400),
        ([b"Content-Length: 5", b"Transfer-Encoding: chunked"], 400),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 5"], 400),
        ([b"Content-Length: 5", b"Content-Length: 5"], 400),
        ([b"Content-Length: 5", b"Content-Length: 0"], 400),
        ([b"Content-Length: 5, 5"], 400),
        ([b"Content-Length: +5"], 400),
        ([b"Content-Length: 0x5"], 400),
        ([b"Content-Length : 5"], 400),
        ([b"X: a\r\n Content-Length: 5"], 400),
        ([b"X: a\nContent-Length: 5"], 400),
        ([b"X: a\rContent-Length: 5"], 400),
        ([b"X: a\x00b"], 400),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_what_has_two_readings_is_refused_and_nothing_after_it_read(
    sample_site: str, method: bytes, fields: list[bytes], status: int
) -> None:
    start = method + b" " + PAGE + b" HTTP/1.1"
    statuses, answer = said(sample_site, start, b"Host: labels.example", *fields, body=b"0\r\n\r\n")
    assert statuses == [status]
    assert detail(answer)


def test_an_old_client_cannot_send_in_chunks(sample_site: str) -> None:
    start = b"POST " + PAGE + b" HTTP/1.0"
    statuses, _ = said(sample_site, start, b"Host: labels.example", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    assert statuses == [400]


def test_chunks_are_read_however_they_are_spelled(sample_site: str) -> None:
    start = b"POST " + PAGE + b" HTTP/1.1"
    statuses, _ = said(sample_site, start, b"Host: labels.example", b"Transfer-Encoding: Chunked ", body=b"0\r\n\r\n")
    assert statuses == [405, 200]
