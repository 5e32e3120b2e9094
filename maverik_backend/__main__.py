"""``python -m maverik_backend`` is the command line."""

from maverik_backend.cli import main

main()
