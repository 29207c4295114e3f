"""Tools and registry, protocols, llama.cpp engines, the loop and its watchdogs.

This is the lowest stage: it imports no other stage of tooldrill.
"""
