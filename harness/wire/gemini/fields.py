"""The fields of the messages that a client sends, as the API reference and the SDK's types have them.

`*` stands for a repeated field, and `struct` for an object of any content. What is known here may still be refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

_TABLE: Final = """
GenerateContentRequest model:string contents:Content* systemInstruction:Content tools:Tool* toolConfig:ToolConfig
  safetySettings:SafetySetting* generationConfig:GenerationConfig cachedContent:string labels:struct serviceTier:string store:bool
  continuationToken:bytes modelArmorConfig:struct
Content parts:Part* role:string
Part text:string inlineData:Blob fileData:FileData functionCall:FunctionCall functionResponse:FunctionResponse
  executableCode:struct codeExecutionResult:struct toolCall:struct toolResponse:struct thought:bool thoughtSignature:bytes
  videoMetadata:struct mediaResolution:struct partMetadata:struct audioTranscription:struct mediaProcessing:struct
  speechMetadata:struct documentMetadata:struct spreadsheetMetadata:struct audioMetadata:struct
Blob mimeType:string data:bytes displayName:string
FileData mimeType:string fileUri:string displayName:string
FunctionCall id:string name:string args:struct partialArgs:struct* willContinue:bool
FunctionResponse id:string name:string response:struct parts:struct* willContinue:bool scheduling:string
Tool functionDeclarations:FunctionDeclaration* googleSearch:struct googleSearchRetrieval:struct codeExecution:struct
  urlContext:struct googleMaps:struct fileSearch:struct computerUse:struct mcpServers:struct* retrieval:struct
  enterpriseWebSearch:struct parallelAiSearch:struct exaAiSearch:struct
FunctionDeclaration name:string description:string parameters:Schema parametersJsonSchema:value response:Schema
  responseJsonSchema:value behavior:string
ToolConfig functionCallingConfig:FunctionCallingConfig retrievalConfig:struct includeServerSideToolInvocations:bool
FunctionCallingConfig mode:string allowedFunctionNames:string* streamFunctionCallArguments:bool
SafetySetting category:string threshold:string method:string
GenerationConfig stopSequences:string* responseMimeType:string responseSchema:Schema responseJsonSchema:value
  _responseJsonSchema:value responseModalities:string* candidateCount:int maxOutputTokens:int temperature:float topP:float
  topK:float seed:int presencePenalty:float frequencyPenalty:float responseLogprobs:bool logprobs:int
  enableEnhancedCivicAnswers:bool speechConfig:struct thinkingConfig:ThinkingConfig imageConfig:struct mediaResolution:string
  audioTranscriptionConfig:struct audioTimestamp:bool routingConfig:struct modelConfig:struct generationOutputConfig:struct
ThinkingConfig includeThoughts:bool thinkingBudget:int thinkingLevel:string
Schema type:string format:string title:string description:string nullable:bool enum:string* maxItems:int minItems:int
  properties:Schema{} required:string* minProperties:int maxProperties:int minLength:int maxLength:int pattern:string
  example:value anyOf:Schema* propertyOrdering:string* default:value items:Schema minimum:float maximum:float
  additionalProperties:value ref:string defs:Schema{}
CountTokensRequest model:string contents:Content* generateContentRequest:GenerateContentRequest systemInstruction:Content
  tools:Tool* generationConfig:GenerationConfig
CachedContent name:string model:string displayName:string contents:Content* systemInstruction:Content tools:Tool*
  toolConfig:ToolConfig ttl:string expireTime:string kmsKeyName:string
EmbedContentRequest model:string content:Content taskType:string title:string outputDimensionality:int autoTruncate:bool
BatchEmbedContentsRequest requests:EmbedContentRequest*
"""


class Field(NamedTuple):
    """A field of a message."""

    name: str
    """In camel case, as it is written."""
    kind: str
    """`string`, `bytes`, `bool`, `int`, `float`, `struct`, `value`, or a message."""
    holds: str = ""
    """`*` if it is repeated, `{}` if it is a map."""


def _read(table: str) -> Iterator[tuple[str, dict[str, Field]]]:
    for entry in table.strip().replace("\n  ", " ").split("\n"):
        message, *fields = entry.split()
        found: dict[str, Field] = {}
        for text in fields:
            name, _, kind = text.partition(":")
            holds = next((mark for mark in ("*", "{}") if kind.endswith(mark)), "")
            field = Field(name, kind.removesuffix(holds) if holds else kind, holds)
            found[name] = found[snake(name)] = field
        yield message, found


def snake(name: str) -> str:
    """A name as the protocol has it: `topP` is `top_p`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


MESSAGES: Final[dict[str, dict[str, Field]]] = dict(_read(_TABLE))
"""The fields of each message, by both of their names."""
