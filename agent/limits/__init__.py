"""Tools under limits: what a tool may touch, how long it may take, how much it may say."""
