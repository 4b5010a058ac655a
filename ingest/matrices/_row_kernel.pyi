from typing import Any

from numpy.typing import NDArray

def look(sizes: tuple[int, int, int, int], bound: float, /, *arrays: NDArray[Any]) -> int: ...
