"""The machine we stand on, behind small interfaces: processes, files, folders of the user, interpreters."""

from tumpline.host.files import write_atomically
from tumpline.host.folders import cache_folder, config_folder, host_name, variables

__all__ = ["cache_folder", "config_folder", "host_name", "variables", "write_atomically"]
