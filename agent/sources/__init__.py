"""Where tools come from: one module per form of SOURCE, joined in `catalog`."""
