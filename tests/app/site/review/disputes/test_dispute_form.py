"""The form of a dispute: what it takes, what it refuses with the reason, and that it says the same to everyone."""

import html
import re
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from app.domain.review.dispute_outcome import Claim
from app.errors import TooManyRequests
from app.reviews.disputes import filing
from app.reviews.disputes.filing import MOST_OF_EXAMPLE, NewDispute, file_dispute
from app.reviews.store import Store, store_url
from app.site.review.disputes.address_limit import AddressLimit
from tests.app.reviews.making import FakeClock
from tests.app.site.review.disputes.disputing import disputed_site
from tests.app.site.review.rounds import review
from tests.serving import serving


@pytest.fixture(scope="module")
def site(sample_catalogue, quick_folder):
    with disputed_site(sample_catalogue, quick_folder / "form") as found:
        yield found


@pytest.fixture(scope="module")
def corrected(site):
    """Indices of corrected digits."""
    return [one["index"] for one in site.issues("sample-digits", "category=correctable")]


def test_the_page_of_an_issue_leads_to_the_form_and_the_form_says_thanks(site, corrected):
    idx = corrected[0]
    assert (
        f'<a href="/sample-digits/issues/{idx}/dispute" rel="nofollow">'
        in site.http.get(f"/sample-digits/issues/{idx}").text
    )
    page = site.http.get(f"/sample-digits/issues/{idx}/dispute")
    assert page.status_code == 200
    assert page.headers["x-robots-tag"] == "noindex"
    assert "set-cookie" not in page.headers
    answer = site.send("sample-digits", idx)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sample-digits/issues/{idx}/dispute?sent=1")
    assert "set-cookie" not in answer.headers
    thanks = site.http.get(answer.headers["location"])
    assert "<h1>Thank you</h1>" in thanks.text
    assert "<form" not in thanks.text


def test_the_form_offers_all_but_what_the_page_says_already(site, corrected):
    def offered(dataset, idx):
        page = site.http.get(f"/{dataset}/issues/{idx}/dispute").text
        return re.findall(r'name="claim" id="[^"]+" value="(\w+)"', page)

    assert offered("sample-digits", corrected[0]) == ["given", "other", "both", "neither", "unfit"]
    confirmed = site.issues("sample-digits", "category=non_error")[0]["index"]
    assert offered("sample-digits", confirmed) == ["guessed", "other", "both", "neither", "unfit"]
    answer = site.send("sample-digits", confirmed, claim="given")
    assert answer.status_code == 422
    assert "Choose what is right instead." in answer.text


def test_sent_twice_it_is_taken_once(site, corrected):
    fields = {"claim": "given", "reason": "Sent by an impatient finger."}
    locations = {site.send("sample-digits", corrected[1], **fields).headers["location"] for _ in range(3)}
    assert len(locations) == 1
    assert [one["claim"] for one in site.all() if one["index"] == corrected[1]] == ["given"]


def test_another_class_is_named_as_the_dataset_names_it(site, corrected):
    one = site.issues("sample-digits", "category=correctable")[2]
    others = [str(n) for n in range(10) if str(n) not in (one["given"]["name"], one["guessed"]["name"])]
    site.code("sample-digits", one["index"], claim="other", **{"class": f" {others[0]} "})
    assert site.all()[-1]["proposed"] == [others[0]]
    for named, says in (
        ("", "Name the class that is right."),
        ("eleven", "has no class 'eleven'."),
        (one["given"]["name"], f"is the given label; choose “The given label is right: {one['given']['name']}”."),
        (one["guessed"]["name"], "is the corrected label already; choose what is right instead of it."),
    ):
        answer = site.send("sample-digits", one["index"], claim="other", **{"class": named})
        assert answer.status_code == 422
        assert says in html.unescape(answer.text)
    confirmed = site.issues("sample-digits", "category=non_error")[0]
    answer = site.send("sample-digits", confirmed["index"], claim="other", **{"class": confirmed["given"]["name"]})
    assert (answer.status_code, "which counts as right already" in answer.text) == (422, True)
    # A class beside another claim is not dropped in silence.
    before = site.all()
    answer = site.send("sample-digits", one["index"], claim="both", **{"class": others[0]})
    assert answer.status_code == 422
    says = f"“{others[0]}” is named, but “Both labels fit” is chosen: choose “Another class is right”, or name none."
    assert says in answer.text
    assert site.all() == before


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("claim=given&claim=neither&reason=It+has+a+tail.", "The field 'claim' was sent twice"),
        ("claim=given&reason=It+has+a+tail.&reason=It+has+none.", "The field 'reason' was sent twice"),
        ("claim=given&reason=It+has+a+tail.&klass=bird", "'klass' is no field of this form; expected claim, class"),
    ],
)
def test_no_field_is_dropped_in_silence(site, corrected, body, says):
    before, path = site.all(), f"/sample-digits/issues/{corrected[3]}/dispute"
    pairs = [(name, (None, value)) for name, value in parse_qsl(body)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for answer in (site.http.post(path, content=body, headers=headers), site.http.post(path, files=pairs)):
        assert answer.status_code == 422
        assert says in html.unescape(answer.text)
    assert site.all() == before


def test_what_is_refused_comes_back_with_what_was_written(site, corrected):
    before = site.all()
    source = 'javascript:alert("x")'
    answer = site.send("sample-digits", corrected[3], claim="both", reason="<b>bold & long enough</b>", source=source)
    assert answer.status_code == 422
    assert answer.headers["cache-control"] == "no-store"
    assert "must be a web address" in answer.text
    assert re.search(r'value="both" required checked', answer.text)
    assert "&lt;b&gt;bold &amp; long enough&lt;/b&gt;</textarea>" in answer.text
    assert html.escape(source).replace("&quot;", "&#34;") in answer.text
    assert "<b>bold" not in answer.text
    assert 'aria-invalid="true" aria-describedby="source-refused"' in answer.text
    assert site.all() == before


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"claim": ""}, "Choose what is right instead."),
        ({"claim": "given' OR 1=1"}, "Choose what is right instead."),
        ({"reason": "short"}, "at least 10 characters"),
        ({"reason": "\u202e" * 30}, "at least 10 characters"),
        ({"reason": "x" * 1_001}, "at most 1,000 fit"),
        ({"website": "https://buy.example"}, "Leave the field “Website” empty"),
    ],
)
def test_bad_fields_are_refused_with_the_reason(site, corrected, fields, says):
    before = site.all()
    answer = site.send("sample-digits", corrected[3], **fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert site.all() == before


def test_a_body_of_a_megabyte_is_refused(site, corrected):
    before = site.all()
    answer = site.send("sample-digits", corrected[3], reason="x" * 1_000_000)
    assert answer.status_code == 413
    assert "At most 32,000 bytes" in answer.text
    # The longest reason, of letters that take the most room in a form, does fit.
    assert site.send("sample-digits", corrected[3], reason="\U0001f408" * 1_000).status_code == 303
    assert len(site.all()) == len(before) + 1


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"claim=given&reason=%ff%fe", b"&".join(b"a%d=b" % n for n in range(999)), b"{}", b""]
)
def test_what_is_no_form_is_refused(site, corrected, body):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = site.http.post(f"/sample-digits/issues/{corrected[3]}/dispute", content=body, headers=headers)
    assert answer.status_code == 422


def test_a_form_in_parts_is_taken_like_any_other_and_other_content_refused_in_words(site, corrected):
    path = f"/sample-digits/issues/{corrected[3]}/dispute"
    fields = {"claim": (None, "neither"), "reason": (None, "Sent in parts: größer."), "source": (None, "")}
    assert site.http.post(path, files=fields).status_code == 303
    assert (site.all()[-1]["claim"], site.all()[-1]["reason"]) == ("neither", "Sent in parts: größer.")
    before = site.all()
    for kind, body, status in (
        ("application/json", b'{"claim": "neither"}', 415),
        ("text/plain", b"claim=neither", 415),
        ("multipart/form-data", b"--x\r\n", 422),
        ("multipart/form-data; boundary=x", b"--y", 422),
    ):
        answer = site.http.post(path, content=body, headers={"content-type": kind})
        assert answer.status_code == status, kind
        if status == 415:
            assert "Expected a form" in answer.text
    file = {"claim": (None, "neither"), "reason": ("why.txt", b"A file for a reason.")}
    assert site.http.post(path, files=file).status_code == 422
    assert site.http.post(path, files=fields | {"reason": (None, "x" * 40_000)}).status_code == 413
    assert site.all() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1"},
    ],
)
def test_a_form_of_another_site_is_refused(site, corrected, headers):
    before = site.all()
    answer = site.send("sample-digits", corrected[3], headers=headers)
    assert answer.status_code == 403
    assert site.all() == before


def test_a_form_of_this_site_is_taken_from_old_browsers_and_new_ones(site, corrected):
    own = {"origin": site.base}
    assert site.send("sample-digits", corrected[4], headers=own).status_code == 303
    proxied = {"sec-fetch-site": "same-origin", "origin": "https://labels.example"}
    assert site.send("sample-digits", corrected[4], headers=proxied, reason="By way of a proxy.").status_code == 303


@pytest.mark.parametrize("index", ["99999999", "x", "-1", "1%00", "9" * 40, "٣"])
def test_there_is_nothing_to_dispute_of_what_is_no_issue(site, index):
    for answer in (
        site.http.get(f"/sample-digits/issues/{index}/dispute"),
        site.http.post(f"/sample-digits/issues/{index}/dispute", data={"claim": "given", "reason": "x" * 20}),
    ):
        assert answer.status_code == 404
    assert site.http.post("/no-such/issues/1/dispute", data={}).status_code == 404


def test_while_an_open_round_holds_it_back_nothing_is_taken_but_thanks_stay(site):
    """Not a word of the verdict: the page is the same for two examples but for their index."""
    first, second = [one["index"] for one in site.issues("sample-texts")[:2]]
    assert site.send("sample-texts", first).status_code == 303
    before = site.all()
    review(site.catalogue, "open", "sample-texts", "--lowest", "2")
    try:
        thanks = [site.http.get(f"/sample-texts/issues/{idx}/dispute?sent=1") for idx in (first, second)]
        assert [answer.status_code for answer in thanks] == [200, 200]
        texts = {re.sub(rf"\b{idx}\b", "N", one.text) for idx, one in zip((first, second), thanks, strict=True)}
        assert len(texts) == 1
        assert "<h1>Thank you</h1>" in thanks[0].text
        assert "What was sent here is kept" in thanks[0].text
        assert "taken" not in thanks[1].text  # nothing was sent of this one
        assert "is in an open review, so it is held back until the round sample-texts-1 is closed" in thanks[0].text
        assert site.http.get(f"/sample-texts/issues/{first}/dispute").status_code == 409
        refused = site.send("sample-texts", first, reason="Sent while it was in review.")
        assert refused.status_code == 409
        assert "Nothing was taken." in refused.text
        assert site.all() == before
    finally:
        review(site.catalogue, "close", "sample-texts-1")
    assert site.http.get(f"/sample-texts/issues/{first}/dispute").status_code == 200


def test_the_page_is_the_same_for_everyone_and_kept(site, corrected):
    path = f"/sample-digits/issues/{corrected[5]}/dispute"
    first = site.http.get(path)
    site.send("sample-digits", corrected[5])
    again = httpx.get(site.base + path, headers={"user-agent": "another"})
    assert again.content == first.content
    assert httpx.get(site.base + path, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert site.http.get(f"{path}?utm_source=x").content == first.content
    refused = site.http.get(f"{path}?agreement=5")
    assert refused.status_code == 400
    assert "is no parameter of this page; it reads sent." in refused.text


def test_many_from_one_address_are_refused_for_a_while(sample_catalogue, quick_folder):
    with disputed_site(sample_catalogue, quick_folder / "many", disputes_an_hour=3) as site:
        idx = site.issues("sample-digits")[0]["index"]
        answers = [site.send("sample-digits", idx, reason=f"Reason number {n}.") for n in range(5)]
        assert [answer.status_code for answer in answers] == [303, 303, 303, 429, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 1200
        assert "at most 3 disputes an hour" in answers[-1].text
        assert len(site.all()) == 3


def test_one_address_cannot_fill_what_may_wait_of_an_example(sample_catalogue, quick_folder, monkeypatch):
    with disputed_site(sample_catalogue, quick_folder / "full", disputes_an_hour=1_000) as site:
        first, second = [one["index"] for one in site.issues("sample-digits")[:2]]
        answers = [site.send("sample-digits", first, reason=f"Reason number {n}.") for n in range(6)]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429]
        assert "at most 5 disputes of one example a day, so enough is waiting for this one" in answers[-1].text
        assert 0 < int(answers[-1].headers["retry-after"]) <= 86_400 / 5
        assert site.send("sample-digits", second).status_code == 303

        # Others fill the rest.
        store = Store(store_url("", site.catalogue))
        for n in range(1, MOST_OF_EXAMPLE):
            assert file_dispute(store, NewDispute("sample-digits", second, Claim.BOTH, (), f"Reason number {n}."))
        store.close()
        refused = site.send("sample-digits", second, reason="One more than can wait.")
        assert refused.status_code == 409
        assert "Enough is waiting for this example" in refused.text

        # All that can wait of all examples: nothing of the site is busy, and the visitor learns what to do.
        third = site.issues("sample-texts")[0]["index"]
        monkeypatch.setattr(filing, "MOST_WAITING", len(site.all()))
        refused = site.send("sample-texts", third)
        assert refused.status_code == 409
        assert "no more are taken until the owner of this site has decided some" in refused.text
        assert "Go back to keep what you wrote, and send it again in a few days." in refused.text


def test_an_address_is_counted_under_a_key_of_the_day():
    clock = FakeClock()
    limit = AddressLimit(1, clock)
    limit.count("10.0.0.1", "pets 3")
    limit.count("10.0.0.2", "pets 3")
    with pytest.raises(TooManyRequests) as refused:
        limit.count("10.0.0.1", "pets 3")
    assert refused.value.retry_after == 3600
    key = limit._key
    clock.now += 3600
    limit.count("10.0.0.1", "pets 3")
    assert limit._key == key
    clock.now += 24 * 3600
    limit.count("10.0.0.1", "pets 3")
    assert limit._key != key
    assert "10.0.0.1" not in repr([vars(limit._buckets), vars(limit._of_example)])


def test_nothing_of_who_sent_it_is_stored_or_logged(sample_catalogue, quick_folder):
    log = quick_folder / "access.log"
    with disputed_site(sample_catalogue, quick_folder / "log", access_log=str(log)) as site:
        idx = site.issues("sample-digits")[0]["index"]
        headers = {"user-agent": "TellTale/7", "x-forwarded-for": "203.0.113.9"}
        assert site.send("sample-digits", idx, headers=headers, reason="A very private reason.").status_code == 303
        stored = site.catalogue.with_name("reviews.sqlite").read_bytes()
        stored += site.catalogue.with_name("reviews.sqlite-wal").read_bytes()
    assert b"A very private reason." in stored
    written = log.read_bytes()
    assert b"/dispute" in written
    assert b"private reason" not in written
    for secret in (b"TellTale", b"203.0.113.9", b"127.0.0.1"):
        assert secret not in stored


@pytest.mark.parametrize(
    ("contact", "says"),
    [
        ("", '<a href="/docs/disputes">Looks wrong? Where corrections go</a>'),
        ("labels@example.org", 'Looks wrong? Corrections go to <a href="mailto:labels@example.org">'),
        ("https://example.org/issues", '<a href="https://example.org/issues">'),
        ("<script>alert(1)</script>", "Corrections go to &lt;script&gt;"),
    ],
)
def test_where_disputes_are_off_the_page_says_where_corrections_go(sample_catalogue, contact, says):
    with serving(sample_catalogue, contact=contact) as base:
        idx = httpx.get(f"{base}/api/v1/datasets/sample-digits/issues?limit=1").json()["items"][0]["index"]
        assert says in httpx.get(f"{base}/sample-digits/issues/{idx}").text
        assert httpx.get(f"{base}/sample-digits/issues/{idx}/dispute").status_code == 404
        body = urlencode({"claim": "neither", "reason": "There is nothing."})
        assert httpx.post(f"{base}/sample-digits/issues/{idx}/dispute", content=body).status_code == 404
        assert httpx.get(f"{base}/docs/disputes").status_code == 200
        assert httpx.get(f"{base}/disputes").status_code == 200


def test_behind_a_proxy_the_form_and_its_thanks_keep_the_path(sample_catalogue, quick_folder):
    with disputed_site(sample_catalogue, quick_folder / "prefix", root_path="/labels") as site:
        idx = site.issues("sample-digits")[0]["index"]
        form = f"/sample-digits/issues/{idx}/dispute"
        assert f'action="/labels{form}"' in site.http.get(form).text
        for path in (form, f"/labels{form}"):
            answer = site.http.post(path, data={"claim": "neither", "reason": f"Sent to {path}."})
            assert (answer.status_code, answer.headers["location"]) == (303, f"/labels{form}?sent=1")
        assert len(site.all()) == 2


def test_disputes_alone_let_no_rater_in(sample_catalogue, quick_folder):
    with disputed_site(sample_catalogue, quick_folder / "alone", serve_reviews=None) as site:
        idx = site.issues("sample-digits")[0]["index"]
        assert site.send("sample-digits", idx).status_code == 303
        name = review(site.catalogue, "open", "sample-digits", "--lowest", "1", "--json").split('"')[3]
        link = review(site.catalogue, "links", name, "--raters", "1", "--base", site.base)
        assert site.http.get(re.search(r"http\S+", link)[0]).status_code == 404
        assert site.http.get(f"/sample-digits/issues/{idx}").status_code == 409  # the round hides it here too
