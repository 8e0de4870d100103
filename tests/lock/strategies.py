"""Hypothesis strategies for whole locks: any lock that a resolution could make, awkward words included."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits
from typing import get_args

from hypothesis import strategies as st

from tumpline.catalogue import Grade
from tumpline.lock import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.project import Policy, VersionOrder
from tumpline.values import Name

names = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,4}){0,2}", fullmatch=True).map(Name)
numbers = st.integers(0, 30).map(str)
versions = st.builds(
    lambda release, tail, local: ".".join(release) + tail + local,
    st.lists(numbers, min_size=1, max_size=4),
    st.sampled_from(["", "rc1", ".post2", ".dev3"]),
    st.sampled_from(["", "+computecanada", "+torch29.computecanada", "+cu118"]),
)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
words = st.text(ascii_lowercase + ascii_uppercase + digits + "._+", min_size=1, max_size=12).filter(
    lambda word: word not in (".", "..")
)
# Words for people hold whatever a message holds: quotes, backslashes, line breaks, other scripts, hash signs.
prose = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp"), include_characters='"\\#\n'),
    max_size=30,
)
paths = st.lists(words, min_size=1, max_size=3).map("/".join)
sizes = st.none() | st.integers(0, 2**53)
policies: st.SearchStrategy[Policy] = st.sampled_from(["wheelhouse", "pypi", "mixed"])
grades: st.SearchStrategy[Grade | None] = st.sampled_from(["scanned", "listed", None])


def tuples(items: st.SearchStrategy[str], longest: int = 4) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(items, max_size=longest).map(tuple)


def wheels(name: Name) -> st.SearchStrategy[str]:
    return versions.map(lambda version: f"{name.replace('-', '_')}-{version}-cp311-cp311-linux_x86_64.whl")


commits = st.text("0123456789abcdef", min_size=40, max_size=40)
references = st.sampled_from(["", "main", "feature/one", "v1.0+x", "refs/pull/7/head"])
inside = paths | st.just("")
git_addresses = st.sampled_from(["https://example.org/lib.git", "ssh://git@example.org:22/~me/lib", "https://[::1]/x"])


def near(name: Name) -> st.SearchStrategy[str]:
    return st.builds("{}{}".format, st.sampled_from(["", "../", "../a b/", "vendor/"]), wheels(name))


def web_addresses(name: Name) -> st.SearchStrategy[str]:
    return wheels(name).map(lambda file: f"https://example.org/x/{file.replace('+', '%2B')}?a=b&c=%20")


def artefacts(name: Name) -> st.SearchStrategy[Artefact]:
    files = wheels(name) | versions.map(lambda version: f"{name}-{version}.tar.gz")
    return st.one_of(
        st.just(WheelhouseArtefact("", "", "")),
        st.builds(WheelhouseArtefact, paths, wheels(name), digests, sizes),
        st.builds(IndexArtefact, words, files, sizes, digests),
        st.builds(ModuleArtefact, paths),
        st.builds(PathArtefact, near(name), digests, sizes, digests, inside),
        st.builds(PathArtefact, st.just("../lib"), subdirectory=inside),
        st.builds(UrlArtefact, web_addresses(name), files, digests, sizes, inside),
        st.builds(VcsArtefact, commits, git_addresses, st.just(""), references, inside),
        st.builds(VcsArtefact, commits, st.just(""), st.just("../lib"), references, inside),
    )


def pins(name: Name, target: str) -> st.SearchStrategy[Pin]:
    needs = st.lists(names, max_size=8, unique=True).map(lambda found: tuple(sorted(found)))
    return st.builds(Pin, st.just(target), versions, artefacts(name), needs, prose, prose)


targets = st.builds(
    LockedTarget,
    name=words,
    site=words,
    python=st.sampled_from(["3.11", "3.11.5", "3.14.0rc1"]),
    os=st.sampled_from(["linux", "macos", "windows"]),
    machine=st.sampled_from(["x86_64", "arm64"]),
    policy=policies,
    platform=words,
    environment=words | st.just(""),
    cpu_level=words | st.just(""),
    modules=tuples(paths),
    layers=tuples(paths),
    catalogue=prose,
    catalogue_date=st.sampled_from(["", "2026-05-17"]),
    grade=grades,
)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    """Locks in the order that the model promises: packages by name, pins by target."""
    chosen = tuple(draw(st.lists(targets, max_size=3, unique_by=lambda target: target.name)))
    packages = []
    for name in sorted(draw(st.lists(names, max_size=5, unique=True))):
        found = tuple(draw(pins(name, target.name)) for target in chosen if draw(st.booleans()))
        packages.append(LockedPackage(name, draw(versions), found))
    return Lock(
        inputs=draw(digests),
        requires_python=draw(st.sampled_from(["", ">=3.11", ">=3.11,<3.15"])),
        targets=chosen,
        roots=tuple(map(Name, draw(st.lists(names, max_size=12, unique=True)))),
        packages=tuple(packages),
        resolution=draw(st.sampled_from(get_args(VersionOrder))),
        exclude_newer=draw(st.sampled_from(["", "2026-02-01T00:00:00Z"])),
    )
