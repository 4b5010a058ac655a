"""Models that need PyTorch, which comes with the extra ``[torch]``.

``small_images`` trains a network of two convolutions on pictures of a few dozen pixels; ``fine_tuning`` goes on from a
checkpoint of the user's own; ``sentences`` describes texts by a network that was trained before. They have
scikit-learn's interface and the further methods that ``ingest.predicting`` names. ``training`` holds what they share,
``checkpoints`` reads weights and never runs what a file says.

Importing any of them where PyTorch is missing raises ImportError that says how to install it. Nothing is downloaded.
"""

from importlib.util import find_spec
from typing import Final

#: What pip is told to install for these models.
EXTRA: Final = "label-errors-site[torch]"

if find_spec("torch") is None:
    raise ImportError(f"this model needs PyTorch, which is not installed; install it with: pip install '{EXTRA}'")
