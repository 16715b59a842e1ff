"""MCP: the market core's answers as tools for language models, over HTTP and stdio."""
