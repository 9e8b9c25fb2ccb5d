"""The names of the models that OpenAI has or had, without those that only add a date.

From the types of the SDK 3.54.0 (`ChatModel`, `AllModels`, `EmbeddingModel`) and genai-prices 0.2.3; a test
fails when the SDK knows more.
"""

from __future__ import annotations

from typing import Final

_TABLE = """
babbage-002 chatgpt-4o-latest chatgpt-image-latest codex-mini codex-mini-latest computer-use
computer-use-preview davinci-002 gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-0301
gpt-3.5-turbo-0613 gpt-3.5-turbo-1106 gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613
gpt-3.5-turbo-instruct gpt-3.5-turbo-instruct-0914 gpt-4 gpt-4-0125-preview gpt-4-0314
gpt-4-0613 gpt-4-1106-preview gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613 gpt-4-turbo
gpt-4-turbo-preview gpt-4-vision-preview gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4.5-preview
gpt-4o gpt-4o-audio-preview gpt-4o-mini gpt-4o-mini-audio-preview gpt-4o-mini-realtime-preview
gpt-4o-mini-search-preview gpt-4o-mini-transcribe gpt-4o-mini-tts gpt-4o-realtime-preview
gpt-4o-search-preview gpt-4o-transcribe gpt-5 gpt-5-chat-latest gpt-5-codex gpt-5-image
gpt-5-image-mini gpt-5-mini gpt-5-nano gpt-5-pro gpt-5-search-api gpt-5.1 gpt-5.1-chat-latest
gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.1-mini gpt-5.2 gpt-5.2-chat-latest
gpt-5.2-pro gpt-5.3 gpt-5.3-chat-latest gpt-5.3-codex gpt-5.4 gpt-5.4-image-2 gpt-5.4-mini
gpt-5.4-nano gpt-5.4-pro gpt-5.5 gpt-5.5-cyber gpt-5.5-pro gpt-5.6-cyber gpt-5.6-luna
gpt-5.6-sol gpt-5.6-terra gpt-6-astra gpt-6-cyber gpt-6-luna gpt-6-rosalind gpt-6-sol
gpt-6.1-sol gpt-6.1-terra gpt-6.2-astra gpt-6.2-astra-law gpt-6.2-sol gpt-audio gpt-audio-mini
gpt-chat-latest gpt-daybreak-blue-latest gpt-daybreak-red-latest gpt-image-1 gpt-image-1-mini
gpt-image-1.5 gpt-image-2 gpt-image-2.5-flare gpt-image-2.5-sunburst gpt-live-1
gpt-live-transcribe gpt-realtime gpt-realtime-2 gpt-realtime-mini gpt-realtime-translate
gpt-realtime-whisper gpt-rosalind-discovery gpt-rosalind-research gpt-transcribe o1 o1-mini
o1-preview o1-pro o3 o3-deep-research o3-mini o3-pro o4-mini o4-mini-deep-research
omni-moderation-latest text-davinci-002 text-davinci-003 text-embedding-3-large
text-embedding-3-small text-embedding-ada-002 tts-1 tts-1-hd whisper-1
"""

NAMES: Final = tuple(_TABLE.split())
