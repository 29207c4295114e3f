"""Whether a GGUF works behind a real llama-server, as other agents will use it."""
