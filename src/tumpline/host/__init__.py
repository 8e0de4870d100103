"""The machine we stand on, behind small interfaces: processes, files, folders of the user, interpreters."""

from tumpline.host.files import write_atomically
from tumpline.host.folders import cache_folder, config_folder, variables
from tumpline.host.process import Completed, run

__all__ = ["Completed", "cache_folder", "config_folder", "run", "variables", "write_atomically"]
