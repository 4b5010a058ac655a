"""What visitors see of a catalogue while rounds of reviews are open."""

import logging
from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar

from app.catalogue.open_file import CatalogueReplacedError
from app.catalogue.rounds.withheld import Watch, Withheld
from app.errors import CatalogueChanging

log = logging.getLogger(__name__)


class _Opened(Protocol):
    """An open catalogue."""

    def restricted(self) -> Self:
        """The same catalogue for everyone."""


C = TypeVar("C", bound=_Opened)


class Shown(Generic[C]):
    """What visitors see of the catalogue: all of it, or all but what ``watch`` withholds at the moment."""

    def __init__(self, watch: Watch, without: Callable[[Withheld], C]) -> None:
        self._watch = watch
        self._without = without  # opens the catalogue without some examples
        self._of: tuple[C | None, Withheld] = (None, ())
        self._seen: tuple[C, C] | None = None  # for this machine, and for everyone
        self._whole: tuple[C, C] | None = None

    def outdated(self, catalogue: C | None) -> bool:
        """Whether another catalogue is there by now, or other examples are to be withheld."""
        return catalogue is not None and self._of != (catalogue, self._watch())

    def renew(self, catalogue: C | None) -> None:
        """Open what visitors see of a catalogue; when it cannot be opened now, they see nothing until it can be."""
        if catalogue is None or not self.outdated(catalogue):
            return
        withheld = self._watch()
        self._seen = None
        try:
            seen = self._without(withheld) if withheld else catalogue
        except CatalogueReplacedError:
            return
        except Exception:
            log.exception("What open rounds withhold could not be withheld, so nothing is shown.")
            return
        self._seen, self._whole = (seen, seen.restricted()), (catalogue, catalogue.restricted())
        self._of = catalogue, withheld

    def get(self, *, public: bool) -> C:
        """What visitors see. Raises CatalogueChanging while it cannot be opened."""
        if self._seen is None:
            raise CatalogueChanging
        return self._seen[public]

    def whole(self, catalogue: C, *, public: bool) -> C:
        """All of it."""
        if self._whole is None or self._whole[0] is not catalogue:
            raise CatalogueChanging
        return self._whole[public]
