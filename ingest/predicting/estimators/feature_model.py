"""Models of features, and of raw pixels where there are none."""

from typing import Any, Final

#: Of scaled features: strong enough that a few dozen steps suffice, and hardly less accurate than the best.
_FEATURES_C: Final = 0.01
_PIXEL_PARTS: Final = 64
_KERNEL_PARTS: Final = 800
_PIXELS_C: Final = 10.0


def features(seed: int) -> Any:
    """Logistic regression on scaled features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=_FEATURES_C, tol=1e-3, max_iter=300, random_state=seed))


class PixelModel:
    """Principal components of pixels, an approximated radial kernel, and logistic regression."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fit(self, images: Any, labels: Any) -> "PixelModel":
        """Learn from (k, height, width[, 3]) pixels."""
        from sklearn.decomposition import PCA
        from sklearn.kernel_approximation import Nystroem
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        pixels = _flat(images)
        parts = min(_PIXEL_PARTS, *pixels.shape)
        self._pipeline = make_pipeline(
            PCA(parts, svd_solver="randomized", random_state=self._seed),
            _Scaled(),
            Nystroem(gamma=1 / parts, n_components=min(_KERNEL_PARTS, len(pixels)), random_state=self._seed),
            LogisticRegression(C=_PIXELS_C, tol=1e-3, max_iter=300, random_state=self._seed),
        )
        self._pipeline.fit(pixels, labels)
        self.classes_ = self._pipeline.classes_
        return self

    def predict_proba(self, images: Any) -> Any:
        """(k, m) probabilities."""
        return self._pipeline.predict_proba(_flat(images))


class _Scaled:
    """Divide components by one number, so that their mean square is 1."""

    def fit(self, parts: Any, labels: Any = None) -> "_Scaled":  # noqa: ARG002 - scikit-learn's interface
        self._by = float((parts**2).mean() ** 0.5) or 1.0
        return self

    def transform(self, parts: Any) -> Any:
        """Divide."""
        return parts / self._by

    def fit_transform(self, parts: Any, labels: Any = None) -> Any:
        """Learn the number, and divide by it."""
        return self.fit(parts, labels).transform(parts)


def _flat(images: Any) -> Any:
    return images.reshape(len(images), -1).astype("float32") / 255
