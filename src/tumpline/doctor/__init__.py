"""What is wrong here, and its cure: a pure function for each thing that goes wrong, fed with what was seen.

`tumpline.host.scene` looks at the shell and the home, the command line at the project; `examine` judges both. Nothing
here looks at anything by itself.
"""

from tumpline.doctor.examine import examine
from tumpline.doctor.model import SEVERITIES, Finding, ProjectSeen, Severity, Situation

__all__ = ["SEVERITIES", "Finding", "ProjectSeen", "Severity", "Situation", "examine"]
