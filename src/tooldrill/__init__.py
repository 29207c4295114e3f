"""tooldrill drills tool-call discipline into small models.

The stages are sub-packages (`agent`, `data`, `training`, `export`, `eval`); this package holds what
joins them: the command line, the config and the pipeline.
"""

__version__ = "0.1.0"
