"""`python -m gemma_edu` is `gemma-edu`."""
import sys

from .cli import main

sys.exit(main())
