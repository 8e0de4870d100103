"""The project: what pyproject.toml, requirements files and Poetry's tables ask for.

The values are exported here. `read` puts a `Project` together; `groups`, `poetry_tables`, `sources`, `dynamic` and
`settings` each know one kind of table, `requirements` reads requirements files. What is read otherwise than it is
written is noted.
"""

from tumpline.project.model import Declared, PackageRule, Parity, Policy, Project, Settings, TargetRequest, VersionOrder

__all__ = [
    "Declared",
    "PackageRule",
    "Parity",
    "Policy",
    "Project",
    "Settings",
    "TargetRequest",
    "VersionOrder",
]
