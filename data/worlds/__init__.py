"""The worlds: executable tools over a resettable state.

`base` says what a world is; every other module here is one world; `catalog` lists them.
"""
