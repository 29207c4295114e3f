"""SFT and DPO with LoRA: from datasets to an adapter."""
