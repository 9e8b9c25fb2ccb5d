"""The operations of OpenAI's API, as its SDK has them and a few that it has not.

A new SDK may bring operations that are in neither table; `tests/wire/test_operations.py` names them. The SDK has no method for
`POST /traces/ingest`, which openai-agents uses, and the upgrade of `GET /realtime` to a websocket.
"""

from __future__ import annotations

from harness.wire.operations import Operations

SIMULATED = Operations("""
/batches GET POST
/batches/{} GET
/batches/{}/cancel POST
/chat/completions POST
/conversations POST
/conversations/{} DELETE GET POST
/conversations/{}/items GET POST
/conversations/{}/items/{} DELETE GET
/embeddings POST
/files GET POST
/files/{} DELETE GET
/files/{}/content GET
/models GET
/models/{} GET
/moderations POST
/responses POST
/responses/compact POST
/responses/input_tokens POST
/responses/{}/cancel POST
/responses/{} DELETE GET
/responses/{}/input_items GET
/traces/ingest POST
""")

REFUSED = Operations("""
/agents GET POST
/agents/automations GET POST
/agents/automations/{} DELETE GET POST
/agents/automations/{}/invocations GET POST
/agents/automations/{}/invocations/{} GET
/agents/automations/{}/pause POST
/agents/automations/{}/resume POST
/agents/environments GET POST
/agents/environments/templates GET POST
/agents/environments/templates/{} DELETE GET POST
/agents/environments/{} GET
/agents/environments/{}/files GET POST
/agents/sessions GET POST
/agents/sessions/{} DELETE GET POST
/agents/sessions/{}/artifacts GET
/agents/sessions/{}/artifacts/{} DELETE GET
/agents/sessions/{}/artifacts/{}/content GET
/agents/sessions/{}/events GET POST
/agents/sessions/{}/items GET
/agents/sessions/{}/subagents GET
/agents/sessions/{}/subagents/{} GET
/agents/sessions/{}/subagents/{}/items GET
/agents/sessions/{}/subagents/{}/turns GET
/agents/sessions/{}/subagents/{}/turns/{} GET
/agents/sessions/{}/subagents/{}/turns/{}/items GET
/agents/sessions/{}/traces GET
/agents/sessions/{}/turns GET
/agents/sessions/{}/turns/{} GET
/agents/sessions/{}/turns/{}/items GET
/agents/{} DELETE GET POST
/assistants GET POST
/assistants/{} DELETE GET POST
/audio/speech POST
/audio/transcriptions POST
/audio/translations POST
/audio/voice_consents GET POST
/audio/voice_consents/{} DELETE GET POST
/audio/voices POST
/audio/voices/{} DELETE
/chat/completions GET
/chat/completions/{} DELETE GET POST
/chat/completions/{}/messages GET
/chatkit/sessions POST
/chatkit/sessions/{}/cancel POST
/chatkit/threads GET
/chatkit/threads/{} DELETE GET
/chatkit/threads/{}/items GET
/completions POST
/containers GET POST
/containers/{} DELETE GET
/containers/{}/files GET POST
/containers/{}/files/{} DELETE GET
/containers/{}/files/{}/content GET
/content_provenance_checks POST
/decisions POST
/evals GET POST
/evals/{} DELETE GET POST
/evals/{}/runs GET POST
/evals/{}/runs/{} DELETE GET
/evals/{}/runs/{}/cancel POST
/evals/{}/runs/{}/output_items GET
/evals/{}/runs/{}/output_items/{} GET
/fine_tuning/alpha/graders/run POST
/fine_tuning/alpha/graders/validate POST
/fine_tuning/checkpoints/{}/permissions GET POST
/fine_tuning/checkpoints/{}/permissions/{} DELETE
/fine_tuning/jobs GET POST
/fine_tuning/jobs/{} GET
/fine_tuning/jobs/{}/cancel POST
/fine_tuning/jobs/{}/checkpoints GET
/fine_tuning/jobs/{}/events GET
/fine_tuning/jobs/{}/pause POST
/fine_tuning/jobs/{}/resume POST
/images/edits POST
/images/generations POST
/images/variations POST
/live/sessions POST
/live/sessions/{}/accept POST
/live/sessions/{}/content GET
/live/sessions/{}/fork POST
/live/sessions/{}/hangup POST
/live/sessions/{}/refer POST
/live/sessions/{}/reject POST
/models/{} DELETE
/organization/admin_api_keys GET POST
/organization/admin_api_keys/{} DELETE GET
/organization/audit_logs GET
/organization/certificates GET POST
/organization/certificates/activate POST
/organization/certificates/deactivate POST
/organization/certificates/{} DELETE GET POST
/organization/costs GET
/organization/data_retention GET POST
/organization/external_keys GET POST
/organization/external_keys/{} DELETE GET
/organization/external_keys/{}/validate POST
/organization/external_storage GET POST
/organization/external_storage/{} DELETE GET
/organization/external_storage/{}/validate POST
/organization/groups GET POST
/organization/groups/{} DELETE GET POST
/organization/groups/{}/roles GET POST
/organization/groups/{}/roles/{} DELETE GET
/organization/groups/{}/users GET POST
/organization/groups/{}/users/{} DELETE GET
/organization/invites GET POST
/organization/invites/{} DELETE GET
/organization/projects GET POST
/organization/projects/{} GET POST
/organization/projects/{}/api_keys GET
/organization/projects/{}/api_keys/{} DELETE GET POST
/organization/projects/{}/archive POST
/organization/projects/{}/certificates GET
/organization/projects/{}/certificates/activate POST
/organization/projects/{}/certificates/deactivate POST
/organization/projects/{}/data_retention GET POST
/organization/projects/{}/groups GET POST
/organization/projects/{}/groups/{} DELETE GET
/organization/projects/{}/hosted_tool_permissions GET POST
/organization/projects/{}/model_permissions DELETE GET POST
/organization/projects/{}/rate_limits GET
/organization/projects/{}/rate_limits/{} POST
/organization/projects/{}/service_accounts GET POST
/organization/projects/{}/service_accounts/{} DELETE GET POST
/organization/projects/{}/service_accounts/{}/api_keys POST
/organization/projects/{}/service_tier_settings GET POST
/organization/projects/{}/spend_alerts GET POST
/organization/projects/{}/spend_alerts/{} DELETE GET POST
/organization/projects/{}/spend_limit DELETE GET POST
/organization/projects/{}/users GET POST
/organization/projects/{}/users/{} DELETE GET POST
/organization/roles GET POST
/organization/roles/{} DELETE GET POST
/organization/spend_alerts GET POST
/organization/spend_alerts/{} DELETE GET POST
/organization/spend_limit DELETE GET POST
/organization/usage/audio_speeches GET
/organization/usage/audio_transcriptions GET
/organization/usage/code_interpreter_sessions GET
/organization/usage/completions GET
/organization/usage/decisions GET
/organization/usage/embeddings GET
/organization/usage/file_search_calls GET
/organization/usage/images GET
/organization/usage/moderations GET
/organization/usage/vector_stores GET
/organization/usage/web_search_calls GET
/organization/users GET
/organization/users/{} DELETE GET POST
/organization/users/{}/roles GET POST
/organization/users/{}/roles/{} DELETE GET
/organization/workload_identity_providers GET POST
/organization/workload_identity_providers/{} DELETE GET POST
/organization/workload_identity_providers/{}/federation_rules GET POST
/organization/workload_identity_providers/{}/federation_rules/{} DELETE GET POST
/projects/{}/groups/{}/roles GET POST
/projects/{}/groups/{}/roles/{} DELETE GET
/projects/{}/roles GET POST
/projects/{}/roles/{} DELETE GET POST
/projects/{}/users/{}/roles GET POST
/projects/{}/users/{}/roles/{} DELETE GET
/realtime GET
/realtime/calls POST
/realtime/calls/{}/accept POST
/realtime/calls/{}/hangup POST
/realtime/calls/{}/refer POST
/realtime/calls/{}/reject POST
/realtime/client_secrets POST
/realtime/sessions POST
/realtime/transcription_sessions POST
/realtime/translations/client_secrets POST
/safety/alerts/{} GET
/safety/cases/{} GET
/skills GET POST
/skills/{} DELETE GET POST
/skills/{}/content GET
/skills/{}/versions GET POST
/skills/{}/versions/{} DELETE GET
/skills/{}/versions/{}/content GET
/threads POST
/threads/runs POST
/threads/{} DELETE GET POST
/threads/{}/messages GET POST
/threads/{}/messages/{} DELETE GET POST
/threads/{}/runs GET POST
/threads/{}/runs/{} GET POST
/threads/{}/runs/{}/cancel POST
/threads/{}/runs/{}/steps GET
/threads/{}/runs/{}/steps/{} GET
/threads/{}/runs/{}/submit_tool_outputs POST
/uploads POST
/uploads/{}/cancel POST
/uploads/{}/complete POST
/uploads/{}/parts POST
/vaults GET POST
/vaults/{} DELETE GET POST
/vaults/{}/credentials GET POST
/vaults/{}/credentials/{} DELETE GET POST
/vector_stores GET POST
/vector_stores/{} DELETE GET POST
/vector_stores/{}/file_batches POST
/vector_stores/{}/file_batches/{} GET
/vector_stores/{}/file_batches/{}/cancel POST
/vector_stores/{}/file_batches/{}/files GET
/vector_stores/{}/files GET POST
/vector_stores/{}/files/{} DELETE GET POST
/vector_stores/{}/files/{}/content GET
/vector_stores/{}/search POST
/videos GET POST
/videos/characters POST
/videos/characters/{} GET
/videos/edits POST
/videos/extensions POST
/videos/{} DELETE GET
/videos/{}/content GET
/videos/{}/remix POST
/webhook_endpoints GET POST
/webhook_endpoints/{} DELETE GET POST
/webhook_endpoints/{}/rotate_secret POST
/webhook_endpoints/{}/test POST
/webhook_event_types GET
""")
"""Those that exist and are not simulated."""
