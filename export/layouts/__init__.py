"""How each model family is stored in GGUF: one file per architecture of llama.cpp.

A layout says which hyperparameters llama.cpp reads, what its tensors are called and how their
values differ from transformers'. It writes no file; that is `export.gguf_writer`'s work.
"""
