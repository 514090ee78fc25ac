"""`python -m napari_superres` is the command `napari-superres`."""

import sys

from napari_superres.cli import main

if __name__ == "__main__":
    sys.exit(main())
