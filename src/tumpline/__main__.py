"""Run the command line as ``python -m tumpline``."""

from tumpline.cli import main

raise SystemExit(main())
