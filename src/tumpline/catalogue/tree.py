"""What lies in the folders of a wheelhouse: one directory listing for each layer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.catalogue.content import FileNote
from tumpline.catalogue.listing import Found, Listing, Odd, lines_of, list_folder
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.host.patience import Patience

__all__ = ["Found", "Tree", "check_layers", "layer_failure", "list_layers", "make_tree"]

_MOST_NAMES = 5
"""Names of other files that are told where there is no wheel."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The wheels and all other entries of the layers; `fingerprint` changes when a name, size or time does."""

    wheels: list[Found]
    others: list[FileNote]
    fingerprint: str


def list_layers(layers: Sequence[tuple[str, Path]], patience: Patience | None = None) -> Tree:
    """List the layers, given as (name, folder); symbolic links are followed, folders in them are not.

    Raises InputError ``layer-missing``, ``duplicate-layer``, ``empty-wheelhouse`` (not one wheel in any layer);
    EnvironmentFailure ``layer-unreadable``, rather than to take what can not be seen for what is not there. What fails
    for a moment is tried again first.
    """
    patience = patience or Patience()
    check_layers([(layer, str(folder)) for layer, folder in layers])
    listings: list[Listing] = []
    for layer, folder in layers:
        try:
            listings.append(list_folder(layer, str(folder), patience))
        except OSError as error:
            raise layer_failure(layer, str(folder), error) from error
    return make_tree([(layer, str(folder)) for layer, folder in layers], listings)


def check_layers(layers: Sequence[tuple[str, str]]) -> None:
    """Check that no two layers, given as (name, where it is), have one name; raises InputError ``duplicate-layer``."""
    names = [name for name, _ in layers]
    for name, where in layers:
        if names.count(name) > 1:
            raise InputError.of(
                "duplicate-layer",
                f"two layers are named {name!r}",
                where=where,
                hint="give each folder once; folders of the same name need to be scanned into different catalogues",
            )


def make_tree(layers: Sequence[tuple[str, str]], listings: Sequence[Listing]) -> Tree:
    """Put the listings of layers, given as (name, where it is), together; raises InputError ``empty-wheelhouse``."""
    digest = hashlib.sha256()
    for (name, _), listing in zip(layers, listings, strict=True):
        lines = lines_of(listing)
        digest.update(f"{name}\0{len(lines)}\0".encode())
        digest.update("".join(lines).encode("utf-8", "surrogateescape"))
    wheels = [found for listing in listings for found in listing.wheels]
    if not wheels:
        names = sorted(odd.file for listing in listings for odd in listing.others)
        raise InputError.of(
            "empty-wheelhouse",
            "there is not one wheel in the wheelhouse",
            where=", ".join(where for _, where in layers),
            why=f"there is only: {', '.join(names[:_MOST_NAMES])}{' …' if names[_MOST_NAMES:] else ''}"
            if names
            else "",
            hint="check that this is the wheelhouse and that its file system is mounted; where wheels lie in folders "
            "below it, give each of these with --wheelhouse, or name the site whose layers they are"
            if names
            else "check that this is the wheelhouse and that its file system is mounted",
        )
    others = [_note(odd) for listing in listings for odd in listing.others]
    return Tree(wheels, others, digest.hexdigest())


def layer_failure(layer: str, where: str, error: OSError) -> TumplineError:
    """Make the error for a layer that can not be listed: ``layer-missing`` or ``layer-unreadable``."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError.of(
            "layer-missing",
            f"the layer {layer} is not there",
            where=where,
            why=error.strerror or "",
            hint="check the path and that its file system is mounted",
        )
    return EnvironmentFailure.of(
        "layer-unreadable",
        f"the layer {layer} can not be listed",
        where=where,
        why=error.strerror or str(error),
        hint="check the permissions of the folder and the state of the file system, then try again",
    )


def _note(odd: Odd) -> FileNote:
    if odd.kind == "unreadable":
        return FileNote(odd.layer, odd.file, "unreadable", "unreadable-wheel", odd.why)
    # A name is bytes to the system; what is no text, or would steer a terminal, is written with escapes.
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in odd.file)
    return FileNote(odd.layer, shown, "stray", "not-a-wheel-name", odd.why)
