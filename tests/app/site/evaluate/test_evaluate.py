"""Predictions sent to the page and to the API: what comes out, and what is refused."""

import html
import io
import re
import shutil
import socket
import tempfile
import time
import zipfile
from itertools import combinations
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.domain.ranking.bootstrap import rank_intervals, right_counts
from app.domain.ranking.crossings import Line
from app.evaluation.predictions_store import read_models, read_partition, read_subject
from app.schema.engine import reading_engine
from app.site.stability import response_models
from app.site.stability.charts import Axis, Mark, prevalence_chart
from ingest.commands.models import evaluation_report
from tests.app.reading import Page
from tests.serving import serving

API = "/api/v1/datasets"


def send(site, path, content, name="mine.csv", **data):
    return site.post(path, files={"file": (name, content)}, data=data)


def csv_of(predictions) -> bytes:
    return ("prediction\n" + "\n".join(map(str, predictions))).encode()


def test_an_upload_by_the_api(site, given):
    response = send(site, f"{API}/cifar10/evaluate", csv_of(given.tolist()), agreement="4")
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    found = response.json()
    response_models.EvaluationOut.model_validate(found)
    assert found["agreement"] == 4
    # Whoever repeats the given labels is right everywhere but where they were wrong.
    assert found["accuracy"]["all"]["original_top1"] == 1.0
    assert found["accuracy"]["correctable"]["corrected_top1"] == 0.0
    assert found["changes"]["lost"] == found["sizes"]["C"] == 7
    assert found["ranks"]["all"]["original_top1"]["rank"] == 1
    assert found["ranks"]["correctable"]["corrected_top1"]["rank"] == 14


def test_ranks_on_whole_sets_have_intervals_from_paired_draws(site, models_catalogue):
    """Those of drawing each example, of all models at once; the page and the command tell them beside the rank."""
    with reading_engine(models_catalogue).connect() as connection:
        subject = read_subject(connection, "cifar10")
        stored = read_models(connection, subject.id)
        test = read_partition(connection, subject, 3)
    mine = next(model.ranked for model in stored if model.name == "resnet34")
    firsts = np.stack([mine[:, 0], *(model.ranked[:, 0] for model in stored)], axis=1)
    file = io.BytesIO()
    np.save(file, mine)
    found = send(site, f"{API}/cifar10/evaluate", file.getvalue(), "mine.npy").json()["ranks"]
    words = " ".join(Page(send(site, "/cifar10/evaluate", file.getvalue(), "mine.npy").text).words.split())
    for kind, labels in (("original_top1", test.given), ("corrected_top1", test.corrected)):
        drawn = right_counts((firsts == labels[:, None])[test.benign | test.correctable])
        (low, high), told = rank_intervals(drawn)[0], found["pruned"][kind]
        assert abs(told["interval"][0] - low) <= 1
        assert abs(told["interval"][1] - high) <= 1
        assert told["interval"][0] < told["interval"][1]
        assert f"95 % interval: {told['interval'][0]} to {told['interval'][1]}" in words
    assert found["all"]["original_top1"]["interval"] is not None
    assert found["all"]["corrected_top1"] is None


def test_a_rank_that_no_draw_of_many_examples_changes_has_its_interval(site, models_catalogue, tmp_path):
    file = tmp_path / "zeros.npy"
    np.save(file, np.zeros(10_000, np.int64))
    words = " ".join(Page(send(site, "/cifar10/evaluate", file.read_bytes(), "zeros.npy").text).words.split())
    assert "that is number 14 of 14 before (95 % interval: 14 to 14) and number 14 after correction" in words
    said = evaluation_report("cifar10", file, None, models_catalogue, as_json=False)
    assert re.search(r"pruned set P +14 of 14 \[14, 14\] +14 of 14 \[14, 14\]", said)


def test_page_and_command_say_a_crossing_in_the_same_words(site, models_catalogue, tmp_path):
    with reading_engine(models_catalogue).connect() as connection:
        stored = read_models(connection, read_subject(connection, "cifar10").id)
    file = tmp_path / "mine.npy"
    np.save(file, next(model.ranked for model in stored if model.name == "vgg16_bn"))
    words = " ".join(Page(send(site, "/cifar10/evaluate", file.read_bytes(), file.name).text).words.split())
    told = evaluation_report("cifar10", file, None, models_catalogue, as_json=False)
    crossings = re.findall(r"^  (?:original|corrected) +(.*), accuracy ", told, re.MULTILINE)
    assert len(crossings) > 8
    assert all(one in words for one in crossings)
    # Who has as many corrected examples right is never ahead.
    level = [one for one in crossings if "draws level with" in one]
    assert level
    assert level == [one for one in crossings if one.endswith(" at N = 100 %")]
    assert "100.00 %" not in " ".join(crossings)


def test_numbers_of_crossings_stand_clear_of_each_other():
    lines = [("a", Line(0.9, 0.2)), ("b", Line(0.88, 0.6))]
    marks = [Mark(n, at, 0.8) for n, at in enumerate((0.1, 0.101, 0.102, 0.103, 0.104, 0.11, 1.0, 1.0, 1.0), start=1)]
    charts = prevalence_chart(lines, Axis(0.01, "log"), marks, 0.01, "chart", {"a": "c0 d0", "b": "c1 d1"})
    for chart in charts.split("</svg>")[:2]:
        placed = re.findall(r'r="4"/><text x="([\d.]+)" y="([\d.]+)" text-anchor="middle">(\d+)<', chart)
        assert [int(number) for _, _, number in placed] == list(range(1, 10))
        numbers = [(float(x), float(y)) for x, y, _ in placed]
        assert all(abs(x - u) >= 16 or abs(y - v) >= 12 for (x, y), (u, v) in combinations(numbers, 2))


def test_an_upload_by_the_page(site, given):
    page = send(site, "/cifar10/evaluate", csv_of(given.tolist()))
    assert page.status_code == 200
    words = " ".join(Page(page.text).words.split())
    assert "On the 9,964 examples of the pruned set your model is right on 100.00 % by the labels as given" in words
    assert "and on 99.82 % with 18 of them corrected: correcting labels removes 0.18 points." in words
    assert "Of all 10,000 examples it is right on 100.00 % by the labels as given" in words
    assert "leaving out the 36 of unknown label alone changes almost nothing." in words
    # By corrected labels nothing is said of examples that have none.
    assert "All examples D10,000 examples100.00 %100.0–100.0 %––– Pruned set P9,964 examples100.00 %" in words
    assert "yours" in words
    assert "on the pruned set, that is number 1 of 14 before" in words
    [badge] = re.findall(r'<img src="(/badge/cifar10.svg[^"]*)"', page.text)
    assert "CIFAR-10 accuracy: 100.0 → 99.8 corrected" in site.get(html.unescape(badge)).text
    assert f"({site.base_url}{html.unescape(badge)})" in html.unescape(page.text)
    refused = send(site, "/cifar10/evaluate", b"prediction\n<b>1</b>\n")
    assert refused.status_code == 422
    assert "These predictions cannot be used." in refused.text
    assert "<b>1</b>" not in refused.text


def test_uploads_without_models_to_compare(site, shared):
    probabilities = np.load(
        shared / "label-errors" / "cross_validated_predicted_probabilities" / "mnist_test_set_pyx.npy"
    )
    buffer = io.BytesIO()
    np.save(buffer, probabilities)
    found = send(site, f"{API}/mnist/evaluate", buffer.getvalue(), "pyx.npy").json()
    assert found["crossings"] == []
    assert found["ranks"]["all"]["original_top1"] is None
    # Flagged examples are those whose label these very probabilities doubt, so all corrections are their guesses.
    assert found["accuracy"]["correctable"]["corrected_top1"] == 1.0
    assert found["accuracy"]["correctable"]["intervals"]["corrected_top1"][0] < 0.75
    assert send(site, "/mnist/evaluate", buffer.getvalue(), "pyx.npy").status_code == 200


@pytest.mark.parametrize(
    ("content", "name", "data", "status", "words"),
    [
        (b"prediction\n1\n", "a.csv", {}, 422, "Expected 10,000 rows"),
        (b"prediction\n1\n", "a.exe", {}, 422, "ending in .csv"),
        (b"", "a.csv", {}, 422, "empty file"),
        (b"prediction\n1\n", "a.csv", {"agreement": "7"}, 400, "expected 3, 4, 5"),
        (b"\x93NUMPY\x01\x00\x76\x00" + b"{" * 118, "a.npy", {}, 422, ".npy"),
        (b"prediction\n1\n", "../../etc/passwd", {}, 422, "ending in"),
        (b"prediction\n1\n", "a.csv", {f"x{n}": "1" for n in range(9)}, 422, "Too many fields"),
    ],
)
def test_uploads_that_are_refused(site, content, name, data, status, words):
    response = send(site, f"{API}/cifar10/evaluate", content, name, **data)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert words in response.json()["detail"]


def test_requests_that_are_no_upload(site):
    path = f"{API}/cifar10/evaluate"
    assert site.post(path, content=b"1\n2\n").status_code == 422
    assert site.post(path, data={"agreement": "3"}, files={}).status_code == 422
    broken = site.post(path, content=b"--x\r\nnothing", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 422
    no_boundary = site.post(path, content=b"nothing", headers={"Content-Type": "multipart/form-data"})
    assert no_boundary.status_code == 422
    assert send(site, f"{API}/audioset/evaluate", b"prediction\n1\n").status_code == 409
    assert send(site, f"{API}/quickdraw/evaluate", b"prediction\n1\n").status_code == 409
    assert send(site, f"{API}/nothing/evaluate", b"prediction\n1\n").status_code == 404


def test_an_endless_upload_ends(site):
    def pieces():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nprediction\n'
        for _ in range(210):
            yield b"1\n" * 500_000

    try:
        response = site.post(
            f"{API}/cifar10/evaluate", content=pieces(), headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    except httpx.TransportError:
        return  # the server answered and hung up before everything was sent
    assert response.status_code == 413
    assert "The limit is 200 MB" in response.json()["detail"]


def form(content: bytes, name: str = "mine.csv") -> bytes:
    """The beginning of a multipart body up to the end of the file in it."""
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content


MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}


def test_an_upload_that_drips_is_given_up_and_hung_up_on(models_catalogue):
    def drips():
        yield form(b"prediction\n")
        for _ in range(60):
            time.sleep(0.25)
            yield b"1\n"

    with serving(models_catalogue, upload_seconds=1) as address, httpx.Client(base_url=address, timeout=30) as client:
        before = set(Path(tempfile.gettempdir()).glob("evaluation-*"))
        try:
            response = client.post(f"{API}/cifar10/evaluate", content=drips(), headers=MULTIPART)
        except httpx.TransportError:
            pass  # hung up on before all that was left was sent
        else:
            assert response.status_code == 408
            assert response.json()["type"].endswith("#too-slow")
            assert "within 1 seconds" in response.json()["detail"]
            assert response.headers["connection"] == "close"
        assert set(Path(tempfile.gettempdir()).glob("evaluation-*")) <= before
        # Whoever is quick is answered as ever, on a busy machine at one of several attempts.
        quick = (send(client, f"{API}/cifar10/evaluate", csv_of([1] * 10_000)).status_code for _ in range(30))
        assert next(status for status in quick if status != 408) == 200


def test_a_drip_is_answered_before_it_ends(models_catalogue):
    """By hand, so as to read the answer while the file is still on its way."""
    with serving(models_catalogue, upload_seconds=1) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            head = f"POST {API}/cifar10/evaluate HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n"
            connection.sendall((head + f"Content-Type: {MULTIPART['Content-Type']}\r\n\r\n").encode() + form(b"1\n"))
            answer = b""
            while piece := connection.recv(4_096):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer.lower()


def test_work_that_takes_too_long_is_ended(models_catalogue, monkeypatch, tmp_path):
    """A library that hangs as soon as a table is read, in place of the real one."""
    (tmp_path / "csv.py").write_text(
        "import time\nfrom _csv import *\ndef reader(*_, **__):\n    time.sleep(3600)\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        serving(models_catalogue, evaluation_seconds=1) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        response = send(client, f"{API}/cifar10/evaluate", csv_of([1] * 10_000))
        assert response.status_code == 413
        assert "takes longer than the 1 seconds allowed" in response.json()["detail"]
        page = send(client, "/cifar10/evaluate", csv_of([1] * 10_000))
        assert page.status_code == 413
        assert "These predictions cannot be used." in page.text


def hostile_npz() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("predictions.npy", bytes(300_000_000))
    return buffer.getvalue()


def hostile_parquet() -> bytes:
    """A word of 40 MB in every row, of which the file holds one."""
    buffer = io.BytesIO()
    words = pa.array(["x" * 40_000_000]).dictionary_encode()
    repeated = pa.DictionaryArray.from_arrays(np.zeros(10_000, np.int32), words.dictionary)
    pq.write_table(pa.table({"prediction": repeated}), buffer, compression="zstd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("wide.csv", lambda: b"prediction\n" + b"x" * 400_000 + b"\n" + b"1\n" * 9_999),
        ("quoted.csv", lambda: b'prediction\n"' + b"\n" * 60_000_000),
        ("columns.csv", lambda: b",".join([b"x"] * 1_000_000) + b"\n"),
        ("bomb.npz", hostile_npz),
        ("words.parquet", hostile_parquet),
        ("long.json", lambda: b"[" + b"1," * 10_000_000 + b"1]"),
        ("wide.json", lambda: b"[[" + b"1," * 10_000_000 + b"1]]"),
        ("nested.json", lambda: b"[" * 1_000_000),
    ],
)
def test_hostile_files_are_refused_in_words_and_harm_nobody(site, name, make):
    response = send(site, f"{API}/cifar10/evaluate", make(), name)
    assert response.status_code in (413, 422), response.text
    assert response.json()["detail"]
    assert "wrong" not in response.json()["title"]
    assert send(site, f"{API}/cifar10/evaluate", csv_of([1] * 10_000)).status_code == 200


def test_a_catalogue_that_is_renewed_meanwhile_is_no_mistake(models_catalogue, sample_catalogue, tmp_path):
    file = tmp_path / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, file)
    with serving(file) as address, httpx.Client(base_url=address, timeout=30) as client:
        predictions = csv_of([1] * 1_797)
        assert send(client, f"{API}/sample-digits/evaluate", predictions).status_code == 200
        shutil.copyfile(models_catalogue, tmp_path / "new")
        (tmp_path / "new").replace(file)
        assert send(client, f"{API}/sample-digits/evaluate", predictions).status_code == 404
        assert send(client, f"{API}/cifar10/evaluate", csv_of([1] * 10_000)).status_code == 200
