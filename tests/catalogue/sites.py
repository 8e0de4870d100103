"""A small made-up cluster for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from tests.wheelmaker import make_wheel
from tumpline.catalogue.facts import Facts, SiteFacts
from tumpline.sites import Dummy, ModulePackage, Platform, Site, SoftwareEnvironment
from tumpline.values import Name

__all__ = ["FACTS", "MODULES", "lake", "make_wheelhouse"]

MODULES = (
    ModulePackage("2023", "arrow", "17.0.0", "3.11", Name("pyarrow"), "17.0.0"),
    ModulePackage("2023", "arrow", "17.0.0", "3.12", Name("pyarrow"), "17.0.0"),
    ModulePackage("2023", "arrow", "15.0.1", "3.11", Name("pyarrow"), "15.0.1"),
)
FACTS = SiteFacts.known(Facts(MODULES))


def lake(root: Path | None, catalogue: str | None = "lake") -> Site:
    """Return the profile of the cluster ``lake``, whose wheelhouse is `root`."""
    levels = {
        "x86-64-v4": ("2023/v4", "2023/v3", "generic"),
        "x86-64-v3": ("2023/v3", "generic"),
    }
    return Site(
        "lake",
        "Lake",
        "cluster",
        Platform("linux", "x86_64", ("linux_x86_64",)),
        catalogue=catalogue,
        wheelhouse=None if root is None else str(root),
        local_tag="computecanada",
        manylinux=False,
        cpu_levels=("x86-64-v4", "x86-64-v3"),
        environments=(
            SoftwareEnvironment("2023", ("3.11.5", "3.12.4"), "3.11.5", levels),
            SoftwareEnvironment("2026", ("3.14.7",), "3.14.7", {"x86-64-v4": ("2026/v4", "generic")}),
        ),
        default_environment="2023",
        dummies=(Dummy(Name("pyarrow"), "arrow"),),
    )


def make_wheelhouse(root: Path) -> tuple[tuple[str, Path], ...]:
    """Fill a wheelhouse with six wheels of three projects, two dummies and strays; return its layers."""
    v4, v3, generic = root / "2023/v4", root / "2023/v3", root / "generic"
    linux = "cp311-cp311-linux_x86_64"
    make_wheel(v4, "numpy", "2.2.2+computecanada", tags=linux, requires_python=">=3.10")
    make_wheel(v3, "numpy", "2.2.2+computecanada", tags=linux, requires_python=">=3.10")
    make_wheel(v3, "numpy", "2.2.2+computecanada", tags="cp312-cp312-linux_x86_64", requires_python=">=3.10")
    make_wheel(v3, "pandas", "2.2.3+computecanada", tags=linux, requires=["numpy>=1.26", "pytz"], extras=["excel"])
    make_wheel(v3, "pandas", "2.2.3+computecanada", tags=linux, build="1", requires=["numpy>=1.26", "pytz"])
    make_wheel(generic, "Foo.Bar", "1.0+computecanada", file_name="Foo.Bar-1.0+computecanada-py3-none-any.whl")
    dummy = "9999+dummy.computecanada"
    make_wheel(generic, "pyarrow", dummy, requires=[f"pyarrow-noinstall=={dummy}"])
    make_wheel(generic, "cv2_like", "4.9", requires=["opencv-noinstall==9999"])
    (generic / "build.log").write_text("done")
    (generic / "half-1-py3-none-any.whl.part").touch()
    (generic / "pyarrow_noinstall-9999+dummy.computecanada.tar.gz").touch()
    (generic / "old").mkdir()
    return (("2023/v4", v4), ("2023/v3", v3), ("generic", generic))
