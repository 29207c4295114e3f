"""From adapter to GGUF: merge, convert, quantize, verify."""
