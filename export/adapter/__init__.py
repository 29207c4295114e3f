"""A PEFT adapter as a GGUF file for llama.cpp's `--lora`: no merging, the user keeps the base.

What llama.cpp's LoRA cannot say is refused with the reason; the merged GGUF is then the way.
"""
