"""One target of the lock as a requirements file, for pip of any age and for people elsewhere."""

from __future__ import annotations

from tumpline.lock.export import Export, LeftOut, pins_of
from tumpline.lock.model import IndexArtefact, Lock, ModuleArtefact, Pin, WheelhouseArtefact
from tumpline.lock.toml import comment
from tumpline.values import Name, parse_version, public_version

__all__ = ["export_requirements"]


def export_requirements(lock: Lock, target: str, *, local: bool = False) -> Export:
    """Return ``name==version`` lines for a target, by name.

    Without `local` the lines are for anywhere: wheelhouse packages are given by their public version (R1), and packages
    that a module brings are lines like the others. With `local` they are for the site itself: versions as
    its wheelhouse spells them, and what modules bring is left out.

    Hashes are written where every line has one, since pip takes a file with some hashes for a file that must
    have all (``--require-hashes``). Raises InputError ``unknown-target``.
    """
    where, pins = pins_of(lock, target)
    left_out = tuple(
        LeftOut(name, pin.version, pin.artefact.module)
        for name, pin in pins
        if local and isinstance(pin.artefact, ModuleArtefact)
    )
    kept = [(name, pin) for name, pin in pins if not (local and isinstance(pin.artefact, ModuleArtefact))]
    hashed = all(isinstance(pin.artefact, IndexArtefact) and pin.artefact.sha256 for _, pin in kept)
    head = [
        f"What tumpline locked for the target {target}. Do not edit: made by tumpline export --format requirements."
    ]
    if local and where.modules:
        head.append(f"Load these modules first: {' '.join(where.modules)}")
    lines = [comment(line) for line in head]
    lines += [_line(name, pin, local=local, hashed=hashed) for name, pin in kept]
    some_hashed = any(isinstance(pin.artefact, IndexArtefact) for _, pin in kept)
    remarks = ("hashes are left out, since not every package has one",) if some_hashed and not hashed else ()
    return Export("".join(f"{line}\n" for line in lines), left_out, remarks)


def _line(name: Name, pin: Pin, *, local: bool, hashed: bool) -> str:
    version = parse_version(pin.version)
    if isinstance(pin.artefact, WheelhouseArtefact) and not local:
        version = public_version(version)
    line = f"{name}=={version}"
    if hashed and isinstance(pin.artefact, IndexArtefact):
        return f"{line} \\\n    --hash=sha256:{pin.artefact.sha256}"
    return line
