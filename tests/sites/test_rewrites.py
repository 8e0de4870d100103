"""What is known of the requirements of the wheelhouse's wheels (R7), and of numpy's C interface (R9)."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from tumpline.sites.companions import uses_numpy_api
from tumpline.sites.rewrites import apply_rewrites
from tumpline.values import normalise


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        pytest.param("requests", ["idna<4", "urllib3"], ["idna<4", "urllib3"], id="nothing known"),
        pytest.param("hdbscan", ["numpy<3", "joblib>=1.0"], ["numpy<3", "joblib>=1.2"], id="changed"),
        pytest.param(
            "spacy", ['numpy>=1.19; python_version >= "3.9"'], ["numpy>=2.0.1"], id="a change drops the marker"
        ),
        pytest.param("hdbscan", ["numpy"], ["numpy"], id="a change of what is not there"),
        pytest.param("beir", ["faiss_cpu>=1.7", "torch"], ["faiss", "torch"], id="renamed, however it is spelled"),
        pytest.param("acpype", ["openbabel-wheel"], ["openbabel<4.0.0.0,>=3.1.1.1"], id="renamed with a version"),
        pytest.param("parcels", ["numpy"], ["numpy", "mpi4py"], id="added"),
        pytest.param("block2", ["cmake==3.19", "numpy"], ["numpy"], id="removed"),
        pytest.param(
            "cellprofiler",
            ["scipy==1.9", "matplotlib", "numpy"],
            ["scipy~=1.9.0", "matplotlib~=3.1.0", "numpy"],
            id="several",
        ),
        pytest.param(
            "torch",
            ['nvidia-cublas-cu12==12.6; sys_platform == "linux"', "nvidia-cudnn-cu13", "triton==3.6", "sympy"],
            ["triton==3.6", "sympy"],
            id="CUDA is a module",
        ),
        pytest.param(
            "torch", ["cuda-toolkit[cublas]==13.0", "nvidia-cuda-runtime", "nvidia-nvjitlink"], [], id="as of CUDA 13"
        ),
        pytest.param(
            "nvidia-dali-cuda120",
            ["nvidia-nvimgcodec-cu12", "nvidia-ml-py"],
            ["nvidia-nvimgcodec-cu12", "nvidia-ml-py"],
            id="what the wheelhouse has stays",
        ),
        pytest.param(
            "hdbscan", ["not a requirement!", "joblib"], ["not a requirement!", "joblib>=1.2"], id="unreadable"
        ),
        pytest.param("octofitterpy", ["juliacall==0.9.23"], ["juliacall==0.9.23"], id="a recipe for one version"),
    ],
)
def test_rewrites(name: str, before: list[str], after: list[str]) -> None:
    assert apply_rewrites(normalise(name), tuple(before)) == tuple(after)


def test_all_that_a_recipe_adds_is_added() -> None:
    added = {Requirement(line).name for line in apply_rewrites(normalise("hybpiper"), ())}
    assert added == {"seaborn", "matplotlib", "pebble", "progressbar2", "scipy", "pandas", "biopython", "psutil"}


@pytest.mark.parametrize(
    ("name", "answer"),
    [("scipy", True), ("scikit-image", True), ("pywavelets", True), ("numpy", False), ("requests", False)],
)
def test_numpy_api(name: str, answer: bool) -> None:
    assert uses_numpy_api(normalise(name)) is answer
