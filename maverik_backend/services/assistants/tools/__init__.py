"""What models may call: small objects with a name, arguments and a function."""

from maverik_backend.services.assistants.tools.base import (
    Arguments,
    FunctionTool,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutput,
)
from maverik_backend.services.assistants.tools.registry import TOOLS, ToolClients, make_tools

__all__ = [
    "TOOLS",
    "Arguments",
    "FunctionTool",
    "Tool",
    "ToolClients",
    "ToolContext",
    "ToolFailed",
    "ToolOutput",
    "make_tools",
]
