"""Pictures where the site has none: asked of labelerrors.com after consent, or read from the visitor's own files."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_browser_pages import assert_accessible, assert_fits
from tests.serving import serving

OUTSIDE = "https://labelerrors.com/**"
#: The colour in the middle of a picture, by a canvas.
MIDDLE = """(img) => {
    const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight), pen = canvas.getContext('2d');
    pen.drawImage(img, 0, 0);
    return [...pen.getImageData(img.naturalWidth >> 1, img.naturalHeight >> 1, 1, 1).data].slice(0, 3);
}"""


@pytest.fixture(scope="module")
def bare(release_catalogue: Path) -> Iterator[str]:
    """A site over the ten datasets without media."""
    with serving(release_catalogue) as address:
        yield address


def png(colour: tuple[int, int, int], size: tuple[int, int] = (40, 40), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, quality=95)
    return file.getvalue()


@contextmanager
def visit(browser: Browser, site: str, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A tab, and what it asked of labelerrors.com, which answers with a green picture; of no other host at all."""
    context = browser.new_context(base_url=site, **options)
    asked: list[str] = []
    others: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        assert "referer" not in route.request.headers
        broken = route.request.url.endswith("/missing.png")
        route.fulfill(status=404) if broken else route.fulfill(body=png((0, 160, 0)), content_type="image/png")

    context.route(OUTSIDE, answer)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    known = (site, "data:", f"blob:{site}", "https://labelerrors.com/")
    page.on("request", lambda request: None if request.url.startswith(known) else others.append(request.url))
    try:
        yield page, asked
        assert [one for one in complaints if "status of 40" not in one] == []
        assert others == []
    finally:
        context.close()


def choose(page: Page, label: str, path: Path | str) -> None:
    page.get_by_text("I have the files").click()
    page.get_by_label(label, exact=True).set_input_files(path)


def refusal(page: Page) -> str:
    expect(page.locator(".pictures-state.refused")).to_be_visible(timeout=60_000)
    assert page.locator(".wall > .card.image").count() == 0
    return page.locator(".pictures-state").inner_text()


def shown(page: Page, n: int) -> None:
    expect(page.locator(".wall > .card.image img")).to_have_count(n, timeout=60_000)


def settled(page: Page, asked: list[str]) -> int:
    """How many addresses were asked for, once a second has gone by without another."""
    n = -1
    while n != len(asked):
        n = len(asked)
        page.wait_for_timeout(1_000)
    return n


# labelerrors.com


def test_nothing_is_asked_before_the_visitor_agrees(browser: Browser, bare: str) -> None:
    with visit(browser, bare) as (page, asked):
        for path in ("/imagenet", "/imagenet/issues/0", "/quickdraw"):
            page.goto(path)
            page.wait_for_load_state("networkidle")
            expect(page.get_by_role("button", name="Show pictures from labelerrors.com")).to_be_visible()
        assert asked == []
        page.goto("/imagenet")
        page.get_by_role("button", name="Show pictures from labelerrors.com").click()
        first = page.frame_locator("iframe.outside").first.locator("img")
        expect(first).to_be_visible()
        assert first.evaluate("(img) => img.naturalWidth") == 40
        index = page.locator(".wall > .card").first.get_attribute("id")
        assert asked
        assert all(url.startswith("https://labelerrors.com/static/imagenet/val/") for url in asked)
        assert index
        # The consent holds on other pages of the session, and ends when one says so.
        n = settled(page, asked)
        page.goto(f"/imagenet/issues/{index[1:]}")
        expect(page.frame_locator(".specimen iframe").locator("img")).to_be_visible()
        assert len(asked) <= n + 1, "a picture is not loaded twice"
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Show pictures from labelerrors.com")).to_be_visible()
        n = len(asked)
        page.goto("/imagenet")
        page.wait_for_load_state("networkidle")
        assert len(asked) == n
        assert page.locator("iframe").count() == 0


def test_a_picture_that_fails_leaves_the_card_of_type(browser: Browser, bare: str) -> None:
    with visit(browser, bare) as (page, asked):
        page.context.route(OUTSIDE, lambda route: route.fulfill(status=404))
        page.goto("/cifar100")
        n = page.locator(".wall > .card.plain").count()
        page.get_by_role("button", name="Show pictures from labelerrors.com").click()
        expect(page.locator(".pictures-state")).to_contain_text("did not load")
        first = page.locator(".wall > .card").first
        expect(first).to_have_class("card plain")
        assert first.locator("iframe, .zoom-card").count() == 0
        assert page.locator(".wall > .card").count() == n
        assert asked == []


def test_another_session_is_asked_again(browser: Browser, bare: str) -> None:
    with visit(browser, bare) as (page, _):
        page.goto("/cifar100")
        page.get_by_role("button", name="Show pictures from labelerrors.com").click()
        expect(page.locator(".pictures-state")).to_contain_text("until you close this tab")
        other = page.context.new_page()
        other.goto("/cifar100")
        other.wait_for_load_state("networkidle")
        assert other.locator("iframe").count() == 0


# Own copies


@pytest.fixture(scope="module")
def cifar100(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binary version in its true layout; the red and green of a picture are the two digits of its index."""
    labels = np.load(shared / "label-errors/original_test_labels/cifar100_test_set_original_labels.npy")
    return cifar_archive(labels, tmp_path_factory.mktemp("cifar100") / "cifar-100-binary.tar.gz")


def cifar_records(labels: np.ndarray) -> bytes:
    n = len(labels)
    records = np.zeros((n, 2 + 3 * 1024), np.uint8)
    records[:, 0], records[:, 1] = labels // 5, labels
    records[:, 2:1026] = (np.arange(n) // 256)[:, None]
    records[:, 1026:2050] = (np.arange(n) % 256)[:, None]
    records[:, 2050:] = 7
    return records.tobytes()


def cifar_archive(labels: np.ndarray, path: Path, member: str = "cifar-100-binary/test.bin") -> Path:
    write_tar(path, {"cifar-100-binary/fine_label_names.txt": b"apple\n", member: cifar_records(labels)}, "w:gz")
    return path


def write_tar(path: Path, members: dict[str, bytes], mode: Any = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_own_copy_of_cifar_100_fills_every_page(browser: Browser, bare: str, cifar100: Path) -> None:
    with visit(browser, bare) as (page, asked):
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method) if request.method != "GET" else None)
        page.goto("/cifar100")
        n = page.locator(".wall > .card").count()
        choose(page, "File", cifar100)
        expect(page.locator(".pictures-state")).to_contain_text("2,235 found", timeout=60_000)
        expect(page.locator(".pictures-state")).to_contain_text("Nothing was uploaded")
        shown(page, n)
        for card in page.locator(".wall > .card").all()[:8]:
            index = int((card.get_attribute("id") or "")[1:])
            assert card.locator("img").evaluate(MIDDLE) == [index // 256, index % 256, 7], index
        # Other pages have them at once, and a page with other cards too.
        page.goto("/cifar100/issues/2")
        picture = page.locator(".specimen img")
        expect(picture).to_be_visible()
        assert picture.evaluate(MIDDLE) == [0, 2, 7]
        assert picture.bounding_box()["width"] == 32 * 17
        assert picture.evaluate("(img) => getComputedStyle(img).imageRendering") == "pixelated"
        page.goto("/cifar100?category=non_error&sort=-index")
        shown(page, page.locator(".wall > .card").count())
        page.get_by_role("button", name="Forget them").click()
        expect(page.get_by_text("I have the files")).to_be_visible()
        assert page.locator(".wall > .card.image").count() == 0
        page.goto("/cifar100/issues/2")
        expect(page.get_by_text("I have the files")).to_be_visible()
        assert page.locator(".specimen img").count() == 0
        assert asked == sent == []


def test_own_copy_of_cifar_10_fills_typical_examples(
    browser: Browser, real_catalogue: Path, shared: Path, tmp_path: Path
) -> None:
    """Where a public site may not show what it has."""
    with tarfile.open(shared / "media/cifar-10-batches-bin-test.tar.xz") as tar:
        member = next(one for one in tar.getmembers() if one.name.endswith("test_batch.bin"))
        file = tar.extractfile(member)
        assert file is not None
        data = file.read()
    (tmp_path / "test_batch.bin").write_bytes(data)
    with serving(real_catalogue, public=True) as site, visit(browser, site) as (page, _):
        page.goto("/cifar10/issues/2405")
        expect(page.get_by_role("heading", name="Typical examples")).to_be_hidden()
        choose(page, "File", tmp_path / "test_batch.bin")
        expect(page.locator(".specimen img")).to_be_visible(timeout=60_000)
        expect(page.locator(".shelf-image img")).to_have_count(8)
        at = 2405 * 3073 + 1 + 16 * 32 + 16
        assert page.locator(".specimen img").evaluate(MIDDLE) == [data[at], data[at + 1024], data[at + 2048]]
        first = page.locator(".shelf-image li").first
        index = int(first.get_attribute("data-idx") or "")
        at = index * 3073 + 1 + 16 * 32 + 16
        assert first.locator("img").evaluate(MIDDLE) == [data[at], data[at + 1024], data[at + 2048]]


def test_a_copy_in_another_order_is_refused_with_the_share(
    browser: Browser, bare: str, shared: Path, tmp_path: Path
) -> None:
    labels = np.load(shared / "label-errors/original_test_labels/cifar100_test_set_original_labels.npy")
    turned = np.roll(labels, 1)
    wrong = cifar_archive(turned, tmp_path / "cifar-100-binary.tar.gz")
    with visit(browser, bare) as (page, _):
        page.goto("/cifar100")
        examples = page.request.get("/cifar100/pictures").json()["examples"]
        other = sum(int(turned[index]) != given for index, _, given in examples)
        choose(page, "File", wrong)
        said = refusal(page)
        assert f"another label to {other:,} of 2,235 examples ({100 * other / 2235:.1f}\u00a0%)" in said
        assert "none is shown" in said
        page.reload()
        expect(page.get_by_text("I have the files")).to_be_visible()


def cut(path: Path, to: Path, share: float) -> Path:
    data = path.read_bytes()
    to.write_bytes(data[: int(len(data) * share)])
    return to


def test_wrong_and_damaged_files_are_told(browser: Browser, bare: str, cifar100: Path, tmp_path: Path) -> None:
    labels = np.zeros(10_000, np.uint8)
    cases = {
        cut(cifar100, tmp_path / "half.tar.gz", 0.5): "half.tar.gz cannot be unpacked to its end",
        cifar_archive(labels, tmp_path / "a.tar.gz", "cifar-100/test"): "Take cifar-100-binary.tar.gz instead",
        cifar_archive(labels, tmp_path / "b.tar.gz", "x/test_batch.bin"): "no test.bin; found fine_label_names.txt",
    }
    (tmp_path / "cifar-100-python.tar.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "test").write_bytes(b"\x80\x02}q")
    (tmp_path / "text.tar").write_bytes(b"no archive" * 100)
    (tmp_path / "test.bin").write_bytes(b"\0" * 3074)
    (tmp_path / "empty.tar").write_bytes(b"")
    cases |= {
        tmp_path / "empty.tar": "empty.tar is no tar archive",
        tmp_path / "cifar-100-python.tar.gz": "a browser reads none. Take cifar-100-binary.tar.gz instead",
        tmp_path / "test": "made of pickles",
        tmp_path / "text.tar": "text.tar is no tar archive",
        tmp_path / "test.bin": "has 3,074 bytes; expected 30,740,000, 3,074 for each of 10,000 examples",
    }
    with visit(browser, bare) as (page, _):
        for path, said in cases.items():
            page.goto("/cifar100")
            choose(page, "File", path)
            assert said in refusal(page), path


def test_own_copy_of_imagenet_is_found_by_name(browser: Browser, bare: str, tmp_path: Path) -> None:
    """In the one archive, whose members are flat, and in a folder of folders."""
    with visit(browser, bare) as (page, _):
        page.goto("/imagenet")
        cards = [int((card.get_attribute("id") or "")[1:]) for card in page.locator(".wall > .card").all()]
        by_index = {index: key for index, key, _ in page.request.get("/imagenet/pictures").json()["examples"]}
        colours = {index: (index % 200, 40 + place, 90) for place, index in enumerate(cards[:5])}
        members = {f"{by_index[index]}.JPEG": png(colour, kind="JPEG") for index, colour in colours.items()}
        # Files that are not looked for lie between, one of them longer than a header can hold in its first digits.
        others = {f"ILSVRC2012_val_{n:08}.JPEG": bytes(70_000) for n in (50_001, 50_002)}
        foreign = {
            f"../../{by_index[cards[0]]}.JPEG": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"
        }
        choose(page, "File", write_tar(tmp_path / "foreign.tar", foreign))
        assert "foreign.tar has none of the 5,440 examples that are looked for" in refusal(page)
        page.reload()
        archive = write_tar(tmp_path / "ILSVRC2012_img_val.tar", others | members)
        choose(page, "File", archive)
        expect(page.locator(".pictures-state")).to_contain_text("5 of 5,440 found", timeout=60_000)
        shown(page, 5)
        for index, colour in colours.items():
            found = page.locator(f"#i{index} img").evaluate(MIDDLE)
            assert np.abs(np.subtract(found, colour)).max() <= 4, index
        page.get_by_role("button", name="Forget them").click()
        expect(page.get_by_text("I have the files")).to_be_visible()
        choose(page, "File", cut(archive, tmp_path / "cut.tar", 0.6))
        assert "cut.tar is cut short" in refusal(page)
        folder = tmp_path / "val"
        for index in colours:
            (folder / "n01440764").mkdir(parents=True, exist_ok=True)
            (folder / f"n01440764/{by_index[index]}.JPEG").write_bytes(members[f"{by_index[index]}.JPEG"])
        page.goto("/imagenet")
        choose(page, "Folder", folder)
        assert "That folder is not ImageNet as it is here" in refusal(page) or len({*cards[:5]}) < 2


def test_own_copy_of_caltech_256_is_found_by_folder_and_name(browser: Browser, bare: str, tmp_path: Path) -> None:
    folder = tmp_path / "256_ObjectCategories"
    (folder / "001.ak47").mkdir(parents=True)
    (folder / "001.ak47/001_0004.jpg").write_bytes(png((200, 30, 60), kind="JPEG"))
    (folder / "001.ak47/._001_0004.jpg").write_bytes(b"of another system")
    (folder / "001.ak47/001_0095.jpg").write_bytes(b"no picture")
    (other := tmp_path / "notes").mkdir()
    (other / "hello.txt").write_text("Hello")
    with visit(browser, bare) as (page, _):
        page.goto("/caltech256/issues/3")
        choose(page, "Folder", other)
        assert "That folder holds none of the 2,360 files looked for" in refusal(page)
        page.goto("/caltech256/issues/3")
        choose(page, "Folder", folder)
        expect(page.locator(".pictures-state")).to_contain_text("1 of 2,360 found", timeout=60_000)
        assert np.abs(np.subtract(page.locator(".specimen img").evaluate(MIDDLE), (200, 30, 60))).max() <= 4


def test_own_copy_of_quickdraw_is_numbered_through_its_files(browser: Browser, bare: str, tmp_path: Path) -> None:
    """Of fewer classes than there are, because all of them take 39 GB."""
    folder = tmp_path / "numpy_bitmap"
    folder.mkdir()
    with visit(browser, bare) as (page, _):
        told = page.request.get("/quickdraw/pictures").json()
        examples = [one for one in told["examples"] if one[2] < 2]
        rows = [min(index for index, _, given in examples if given == 1)]
        rows.append(max(index for index, _, _ in examples) + 1 - rows[0])
        for name, n in zip(told["classes"], rows, strict=False):
            file = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, (n, 784))
            start = 0 if name == told["classes"][0] else rows[0]
            for index, _, _ in examples:
                if 0 <= index - start < n:
                    file[index - start] = index % 251
            file.flush()
        few = {**told, "examples": examples, "size": sum(rows)}
        page.route("**/quickdraw/pictures", lambda route: route.fulfill(json=few))
        for index, _, _ in (examples[0], examples[-1]):
            page.goto(f"/quickdraw/issues/{index}")
            if index == examples[0][0]:
                choose(page, "Folder", folder)
            expect(page.locator(".specimen img")).to_be_visible(timeout=60_000)
            assert page.locator(".specimen img").evaluate(MIDDLE) == [255 - index % 251] * 3
        page.get_by_role("button", name="Forget them").click()
        few["size"] += 1
        choose(page, "Folder", folder)
        expect(page.locator(".pictures-state.refused")).to_contain_text(f"found {sum(rows):,} in 2 files")


def test_without_a_script_the_labels_stand_alone(browser: Browser, bare: str) -> None:
    with visit(browser, bare, java_script_enabled=False) as (page, _):
        for path in ("/cifar100", "/cifar100/issues/2"):
            page.goto(path)
            assert not page.locator(".pictures").is_visible()


def test_where_nothing_is_stored_a_copy_fills_the_page_alone(browser: Browser, bare: str, cifar100: Path) -> None:
    with visit(browser, bare) as (page, _):
        page.add_init_script("IDBFactory.prototype.open = () => { throw new Error('blocked'); }")
        page.goto("/cifar100/issues/2")
        choose(page, "File", cifar100)
        expect(page.locator(".pictures-state")).to_contain_text("for this page only", timeout=60_000)
        assert page.locator(".specimen img").evaluate(MIDDLE) == [0, 2, 7]


# Enlarged pictures


def test_pictures_are_enlarged_by_keys(browser: Browser, release: str) -> None:
    with visit(browser, release, viewport={"width": 1280, "height": 900}) as (page, _):
        page.goto("/cifar10")
        cards = page.locator(".wall > .card")
        page.keyboard.press("j")
        page.keyboard.press("z")
        box = page.get_by_role("dialog", name="Picture, enlarged")
        expect(box).to_be_visible()
        assert_accessible(page, "lightbox")
        for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
            page.keyboard.press(key)
            index = (cards.nth(place).get_attribute("id") or "")[1:]
            expect(box.get_by_text(f"Example {index}", exact=True)).to_be_visible()
        picture = box.locator("img")
        expect(picture).to_have_class("pixels")
        natural, width = picture.evaluate("(img) => [img.naturalWidth, img.getBoundingClientRect().width]")
        assert width % natural == 0
        page.keyboard.press("Escape")
        expect(box).to_be_hidden()
        expect(cards.nth(1).locator(".look")).to_be_focused()
        page.keyboard.press("z")
        page.keyboard.press("Tab")
        assert box.evaluate("(e) => e.contains(document.activeElement)")
        box.get_by_role("link", name="Open the example").click()
        page.wait_for_url(f"**/cifar10/issues/{index}*")


def test_pictures_of_an_example_are_enlarged_in_turn(browser: Browser, release: str) -> None:
    with visit(browser, release, viewport={"width": 390, "height": 800}) as (page, _):
        page.goto("/cifar10/issues/2405")
        opener = page.get_by_role("button", name="Enlarge Example 2405")
        opener.focus()
        page.keyboard.press("Enter")
        box = page.get_by_role("dialog", name="Picture, enlarged")
        expect(box).to_contain_text("Reviewers say frog")
        expect(box).to_contain_text("1 of 9")
        assert_fits(page, "lightbox at 390")
        page.keyboard.press("ArrowRight")
        expect(box).to_contain_text("Typical example of the given label, cat")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()


# Sounds


#: Notes which sounds begin, and how many play then. None ends by itself, as a short one would before anybody looks.
LISTEN = """() => {
    const sounds = [...document.querySelectorAll('audio')];
    for (const one of sounds) one.loop = true;
    Object.assign(window, {begun: [], most: 0});
    document.addEventListener('play', (event) => {
        window.begun.push(sounds.indexOf(event.target));
        window.most = Math.max(window.most, sounds.filter((one) => !one.paused).length);
    }, true);
}"""


def test_one_sound_at_a_time_and_space_plays(browser: Browser, site: str) -> None:
    with visit(browser, site) as (page, _):
        page.goto("/sample-sounds")
        assert page.locator("audio").count() > 2
        page.evaluate(LISTEN)
        page.keyboard.press("j")
        page.keyboard.press(" ")
        page.wait_for_function("() => window.begun.join() === '0'")
        page.keyboard.press("j")
        page.keyboard.press(" ")
        page.wait_for_function("() => window.begun.join() === '0,1'")
        assert page.evaluate("window.most") == 1
        page.keyboard.press("/")
        page.keyboard.type("a b")
        expect(page.locator("#q")).to_have_value("a b")


# Looks


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_cards_of_type_and_offers_are_accessible(browser: Browser, bare: str, width: int, scheme: Any) -> None:
    size: Any = {"width": width, "height": 900}
    with visit(browser, bare, viewport=size, color_scheme=scheme) as (page, _):
        for path in ("/cifar100", "/imagenet?category=multi_label", "/quickdraw", "/amazon", "/imagenet/issues/0"):
            page.goto(path)
            for folded in page.locator("details").all():
                folded.evaluate("(e) => { e.open = true }")
            assert_accessible(page, f"{path} {width} {scheme}")
            assert_fits(page, f"{path} {width}")


def test_in_forced_colours_a_card_of_type_keeps_its_strike_and_edge(browser: Browser, bare: str) -> None:
    with visit(browser, bare, forced_colors="active") as (page, _):
        page.goto("/cifar100")
        card = page.locator(".wall > .card.plain").first
        assert card.evaluate("(e) => getComputedStyle(e).borderTopStyle") == "solid"
        line = card.locator(".wrong").evaluate("(e) => getComputedStyle(e).textDecorationLine")
        assert line == "line-through"
        assert_accessible(page, "forced colours")


def test_a_page_with_its_scripts_is_light(browser: Browser, bare: str) -> None:
    """Under 150 KB without pictures, as sent."""
    with visit(browser, bare) as (page, _):
        for path in ("/imagenet", "/imagenet/issues/0"):
            bodies: list[int] = []
            page.on("requestfinished", lambda asked, to=bodies: to.append(asked.sizes()["responseBodySize"]))
            page.goto(path, wait_until="networkidle")
            assert 0 < sum(bodies) < 150_000, path
