"""The harvest: real tool schemas read from installed packages, and single calls over them.

Nothing is copied into the repository and nothing is executed; see `catalog` for where the tools
come from and `single` for what is made of them.
"""

from tooldrill.data.harvest.catalog import (
    HarvestedService,
    need_every_package,
    package_versions,
    service,
    service_names,
    sources,
)
from tooldrill.data.harvest.rows import harvest_pair, moment, refused_once, to_row
from tooldrill.data.harvest.single import Single, Statement, harvest_single, harvest_singles

__all__ = [
    "HarvestedService",
    "Single",
    "Statement",
    "harvest_pair",
    "harvest_single",
    "harvest_singles",
    "moment",
    "need_every_package",
    "package_versions",
    "refused_once",
    "service",
    "service_names",
    "sources",
    "to_row",
]
