"""Situations: a verified task turned into another verified one that is harder to keep calm in.

Each module offers `situation(task, rng)`, which gives None where it does not apply; `catalog` names
them all. How tasks are drawn is the worlds' work, how a situation is mixed in is the settings'.
"""
