"""Engines: what turns a prompt into a reply. llama.cpp in process, or an endpoint."""
