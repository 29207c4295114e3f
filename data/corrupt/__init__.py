"""Corruptions: a right reply turned into a wrong one that differs in the violation alone.

`moment` says what an operator is given and gives back; every other module is one family of
violations; `catalog` lists them and checks what they made.
"""
