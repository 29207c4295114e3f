"""The `tooldrill` command. Each module adds the commands of one subject."""
