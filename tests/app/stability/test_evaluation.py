"""Predictions sent to the page and to the API: what comes out, and what is refused."""

import io

import httpx
import numpy as np
import pytest

from app.stability import shapes

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
    shapes.EvaluationOut.model_validate(found)
    assert found["agreement"] == 4
    # Whoever repeats the given labels is right everywhere but where they were wrong.
    assert found["accuracy"]["all"]["original_top1"] == 1.0
    assert found["accuracy"]["correctable"]["corrected_top1"] == 0.0
    assert found["changes"]["lost"] == found["sizes"]["C"] == 7
    assert found["ranks"]["all"]["original_top1"]["rank"] == 1
    assert found["ranks"]["correctable"]["corrected_top1"]["rank"] == 14


def test_an_upload_by_the_page(site, given):
    page = send(site, "/cifar10/evaluate", csv_of(given.tolist()))
    assert page.status_code == 200
    assert "By the labels as given your model is right on 100.00 %" in page.text
    assert "yours" in page.text
    assert "number 1 of 14 before" in page.text
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
    assert "At most 200 MB" in response.json()["detail"]
