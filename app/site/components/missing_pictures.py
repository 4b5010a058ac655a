"""What a page does about pictures and texts that are not on this site: another host's, or a visitor's own.

Pictures of another host are shown on pages of their own, one for each, that other pages frame once the visitor agreed.
Their content security policy allows that host and no other, so all other answers stay strict, as with the player of
``app.site.components.youtube``. A visitor's own copy is read by their browser and sent nowhere.
"""

import re
from typing import Final, NamedTuple

from app.catalogue.access import may_show
from app.catalogue.media_gaps import n_with_medium
from app.catalogue.records import Dataset
from app.web.middleware import policy

#: The host of the pictures that the release gives addresses of.
PICTURE_HOST: Final = "https://labelerrors.com"
#: The policy of a page with one picture of that host.
FRAME_POLICY: Final = (
    f"default-src 'none'; style-src 'self'; img-src {PICTURE_HOST}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
#: The policy of a page that lacks pictures: it may show some that a script on it made, and frame pages of this site.
LACKING_POLICY: Final = f"{policy(pictures=('blob:',))}; frame-src 'self'; worker-src 'self'"

_PICTURE: Final = re.compile(rf"{re.escape(PICTURE_HOST)}/[!-~]+\.(?:png|jpe?g)", re.IGNORECASE)


class Copy(NamedTuple):
    """What a visitor can choose of a dataset's files, for a layout that a browser reads."""

    files: str  # in words
    ending: str  # of files to choose
    one_file: bool
    folder: bool
    things: str = "pictures"


#: Layout of the media -> what to choose. ``static/copy_reader.js`` reads these.
COPIES: Final = {
    "cifar10": Copy("cifar-10-binary.tar.gz, or test_batch.bin from it", ".gz,.tgz,.tar,.bin", True, False),
    "cifar100": Copy("cifar-100-binary.tar.gz, or test.bin from it", ".gz,.tgz,.tar,.bin", True, False),
    "imagenet-val": Copy("ILSVRC2012_img_val.tar, or the folder val", ".tar,.gz,.tgz", True, True),
    "caltech256": Copy("256_ObjectCategories.tar, or the folder of that name", ".tar,.gz,.tgz", True, True),
    "quickdraw-bitmaps": Copy("the folder numpy_bitmap with the .npy files of all classes", "", False, True),
    "amazon-lines": Copy("amazon5core.preprocessed.txt, packed by gzip or not", ".txt,.gz", True, False, "texts"),
}


def lacks_pictures(dataset: Dataset) -> bool:
    """Whether some issue of a dataset of pictures, or of texts that a browser can read, has none that is shown."""
    pictured = dataset.modality == "image" or (dataset.modality == "text" and copy_of(dataset) is not None)
    if not pictured or not dataset.n_issues:
        return False
    return not may_show(dataset, dataset.modality) or n_with_medium(dataset) < dataset.n_issues


def copy_of(dataset: Dataset) -> Copy | None:
    """What a visitor can choose of a dataset's files; None where no browser reads them."""
    return COPIES.get(dataset.about.get("layout") or "")


def lacking_headers(dataset: Dataset) -> dict[str, str] | None:
    """The headers of a page of a dataset: a policy of its own where pictures are lacking."""
    return {"Content-Security-Policy": LACKING_POLICY} if lacks_pictures(dataset) else None


def outside_picture(url: str | None) -> str | None:
    """The address of an example's picture on the other host; None for any other address.

    >>> outside_picture("https://labelerrors.com/static/cifar100/2.png")
    'https://labelerrors.com/static/cifar100/2.png'
    >>> outside_picture("https://labelerrors.com.example/2.png"), outside_picture(None)
    (None, None)
    """
    return url if url and _PICTURE.fullmatch(url) else None
