"""What an image says of itself, for people and as data."""

from __future__ import annotations

from tumpline.environment.image import Head

__all__ = ["head_data", "made_for"]


def made_for(head: Head) -> str:
    """Return in one line what an image was made for."""
    record = head.record
    place = f"{record.cpu_level} ({record.site})" if record.cpu_level else record.site
    words = [f"target {record.target}", place]
    if record.environment:
        words.append(f"StdEnv/{record.environment}")
    words.append(f"Python {record.python} on {head.system} {head.machine}")
    if record.modules:
        words.append(f"modules {' '.join(record.modules)}")
    return f"made for {', '.join(words)}"


def head_data(head: Head) -> dict[str, object]:
    """Return an image's head as plain data; its form is documented in ``docs/reference/images.md``."""
    record = head.record
    return {
        "content": head.content,
        "compression": head.compression,
        "bytecode": head.bytecode,
        "files": head.files,
        "bytes": head.size,
        "target": record.target,
        "site": record.site,
        "software_environment": record.environment or None,
        "cpu_level": record.cpu_level or None,
        "python": record.python,
        "system": head.system,
        "machine": head.machine,
        "modules": list(record.modules),
        "expected": [{"name": each.name, "version": each.version, "module": each.module} for each in record.expected],
        "lock": record.key,
        "project": record.project or None,
        "packages": [{"name": name, "version": version} for name, version in record.packages],
    }
