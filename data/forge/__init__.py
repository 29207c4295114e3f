"""The forge: worlds without end, each made of its number. See `world.forge_world`."""
