"""What conda calls differently from the index, and what only conda has.

conda's packages are its own: most Python packages have the index's name, a few have not, and libraries and programs are
packages too. These are the common ones; what is in neither table is taken to have the index's name.
"""

from __future__ import annotations

import re

__all__ = ["index_name", "why_only_conda"]

_NAMES = {
    "cupy-core": "cupy",
    "dask-core": "dask",
    "geopandas-base": "geopandas",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "pyg": "torch-geometric",
    "pyqt": "pyqt5",
    "pytables": "tables",
    "python-blosc": "blosc",
    "python-graphviz": "graphviz",
    "python-lmdb": "lmdb",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "pytorch-cluster": "torch-cluster",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "pytorch-scatter": "torch-scatter",
    "pytorch-sparse": "torch-sparse",
    "pytorch-spline-conv": "torch-spline-conv",
    "ray-core": "ray",
    "ruamel-yaml": "ruamel-yaml",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-gpu": "tensorflow",
}

_PROGRAMS = frozenset(
    """
    bcftools bedtools binutils blas boost boost-cpp bowtie2 bwa bzip2 c-compiler ca-certificates compilers conda
    cxx-compiler expat ffmpeg fftw fontconfig fortran-compiler freetype gcc gdal-bin geos gfortran gh giflib git glib
    gmp graphviz gxx hdf5 icu imagemagick java-jdk jpeg lame lcms2 llvm-openmp lz4-c make mamba minimap2 mpc mpfr mpi
    mpich ncurses nettle nodejs openblas openh264 openjdk openjpeg openmpi openssl pandoc parallel perl pkg-config proj
    qt qt-main r-base readline samtools snappy sqlite tk unixodbc wget xz yaml zlib zstd
    """.split()  # noqa: SIM905 - one to a line would be ninety lines
)

_CUDA = re.compile(
    r"(?:cudatoolkit|cudnn|nccl|nvidia|pytorch-cuda|pytorch-mutex)(?:-.*)?|cuda(?:-(?!python$|bindings$).*)?"
)
_NOT_PYTHON = re.compile(r"_.*|r-.*|bioconductor-.*|perl-.*|ld_impl_.*|.*_(?:linux|osx|win)-\w+|lib[a-z0-9]+.*")
_LIBRARIES_OF_PYTHON = frozenset({"libclang", "libcst", "libpysal", "librosa", "libsass", "libtmux", "librt"})


def index_name(name: str) -> str:
    """Return what the index calls a package of conda; `name` is in lower case."""
    return _NAMES.get(name.replace("_", "-"), name)


def why_only_conda(name: str, build: str) -> str:
    """Say why a package of conda is none of the index, empty where it may be one; `name` is in lower case.

    `build` is its build string, empty where it is not stated: that of a Python package names the Python (``py39h…``),
    or is that of one for any Python (``pyhd8ed1ab_0``).
    """
    if _CUDA.fullmatch(name):
        return "it is a part of CUDA"
    if name in _PROGRAMS or (_NOT_PYTHON.fullmatch(name) and name not in _LIBRARIES_OF_PYTHON):
        return "it is a program or a library, no Python package"
    if build and not re.search(r"(?:^|_|cuda|cpu)py|python|pypi", build):
        return "its build string says that it is no Python package"
    return ""
