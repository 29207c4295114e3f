"""What an MCP server answers to a call, as the text that a model reads.

Which answers are errors is the server's word (`isError`) or, as everywhere, a text that says so.
"""

from __future__ import annotations

import json

from mcp.types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from tooldrill.agent.environment import ERROR_PREFIX, Observation


def observation_of(result: CallToolResult) -> Observation:
    """The texts of the result, one after the other; its structured content when it has no text.

    What is no text (images, sound, links) is named in a line of its own.
    """
    lines = [_line(block) for block in result.content]
    if result.structured_content is not None and not any(
        isinstance(block, TextContent | EmbeddedResource) for block in result.content
    ):
        lines.append(json.dumps(result.structured_content, ensure_ascii=False))
    text = "\n".join(lines)
    if text.startswith(ERROR_PREFIX):
        return Observation(text, error=True)
    if result.is_error:
        return Observation.failure(text or "the tool failed and did not say why")
    return Observation(text or "(no output)")


def _line(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            # Four characters of base64 carry three bytes.
            return f"[{block.type}: {block.mime_type}, about {len(block.data) * 3 // 4} bytes]"
        case ResourceLink():
            return f"[resource: {block.name}, {block.uri}]"
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return f"[resource: {resource.uri}]\n{resource.text}"
        case EmbeddedResource():
            kind = block.resource.mime_type or "binary"
            return f"[resource: {block.resource.uri}, {kind}]"
