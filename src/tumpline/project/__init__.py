"""The project: what pyproject.toml, requirements files and Poetry's tables ask for.

`read` puts a `Project` together; `groups`, `poetry_tables`, `sources`, `dynamic` and `settings` each know one kind of
table, `requirements` reads requirements files. What is read otherwise than it is written is noted.
"""

from tumpline.project.model import Declared, PackageRule, Policy, Project, Settings, TargetRequest
from tumpline.project.read import read_project
from tumpline.project.requirements import RequirementsFile, read_requirements

__all__ = [
    "Declared",
    "PackageRule",
    "Policy",
    "Project",
    "RequirementsFile",
    "Settings",
    "TargetRequest",
    "read_project",
    "read_requirements",
]
