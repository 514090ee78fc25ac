"""The command line: the same settings and the same event streams as the panel.

Reading order: `app` (entry, errors, exit status), `options` and `fields` (what a user
may write), `progress` (what a user sees), then a file for each group of commands.
"""

from napari_superres.cli.app import main

__all__ = ["main"]
