"""A live MCP server as a source of tools and as what carries out their calls."""
