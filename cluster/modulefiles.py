"""Writing module files in Lua, and the folders of software that they speak of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["ModuleFiles"]


class ModuleFiles:
    """Modules below `root`: a login shell looks into ``modules/custom``, and a StdEnv adds ``modules/YEAR/Core``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.custom = root / "modules" / "custom"

    def core_of(self, year: str) -> Path:
        """Return the folder with the modules that need nothing but their StdEnv."""
        return self.root / "modules" / year / "Core"

    def prefix(self, module: str) -> Path:
        """Return where the software of a module is."""
        return self.root / "software" / module

    def write(self, path: Path, *lines: str) -> Path:
        """Write a module file; `path` is without suffix."""
        file = path.with_name(f"{path.name}.lua")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return file

    def standard(self, year: str, *lines: str, compiler: str = "") -> None:
        """Write a StdEnv and its gentoo module; `lines` are more of the latter."""
        load = f'load("{compiler}")' if compiler else ""
        self.write(self.custom / f"StdEnv/{year}", 'add_property("lmod","sticky")', f'load("gentoo/{year}")', load)
        self.write(
            self.custom / f"gentoo/{year}",
            'add_property("lmod","sticky")',
            f'setenv("EBVERSIONGENTOO","{year}")',
            *lines,
            f'prepend_path("MODULEPATH","{self.core_of(year)}")',
        )

    def python(self, year: str, version: str, *lines: str) -> Path:
        """Write the module of a Python."""
        return self.write(
            self.core_of(year) / "python" / version,
            'family("python")',
            f'setenv("EBROOTPYTHON","{self.prefix(f"python/{version}")}")',
            f'setenv("EBVERSIONPYTHON","{version}")',
            *lines,
        )

    def module(
        self,
        module: str,
        *lines: str,
        folder: Path | None = None,
        python: Iterable[str] = (),
        brings: Iterable[str] = (),
    ) -> Path:
        """Write a module that adds its prefix, and packages (``pyarrow 17.0.0``) for these Pythons into the prefix."""
        prefix = self.prefix(module)
        prefix.mkdir(parents=True, exist_ok=True)
        for minor in python:
            for package in brings:
                self.package(prefix, minor, *package.split())
        return self.write(
            (folder or self.core_of("2023")) / module, *lines, f'prepend_path("EBPYTHONPREFIXES","{prefix}")'
        )

    def package(self, prefix: Path, minor: str, name: str, version: str) -> Path:
        """Write the metadata of an installed package; nothing of a module's package has a RECORD."""
        site = prefix / "lib" / f"python{minor}" / "site-packages"
        folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText\n")
        return folder
