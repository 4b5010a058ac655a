"""What ``pyproject.toml`` has no words for: the folders that travel inside ``app``, and what a wheel is called.

``app.package_files`` finds these folders, in a wheel as in a checkout.
"""

import shutil
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel

FOLDERS = ("templates", "static", "data", "docs")


class Wheel(bdist_wheel):
    """A wheel for one Python on one system where there is a compiler, else a pure one for all."""

    def run(self) -> None:
        """Compile before anything else, for only then is known which of the two it will be."""
        # setuptools takes along whatever an earlier build left there: modules that are gone, code of older sources.
        shutil.rmtree(self.get_finalized_command("build").build_lib, ignore_errors=True)
        self.run_command("build_ext")
        compiled = [Path(file).is_file() for file in self.get_finalized_command("build_ext").get_outputs()]
        if not all(compiled):
            self.distribution.ext_modules = []
            self.root_is_pure = True
        super().run()


setup(
    packages=[
        *find_namespace_packages(include=["app", "app.*", "ingest", "ingest.*"]),
        *(f"app.{folder}" for folder in FOLDERS),
    ],
    package_dir={f"app.{folder}": folder for folder in FOLDERS},
    package_data={f"app.{folder}": ["**/*"] for folder in FOLDERS} | {"app": ["py.typed"], "ingest": ["py.typed"]},
    cmdclass={"bdist_wheel": Wheel},
)
