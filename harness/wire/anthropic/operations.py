"""The operations of Anthropic's API, as its SDK has them and a few that it has not.

A new SDK may bring operations that are in neither table; `tests/wire/test_operations.py` names them. The SDK has no method for
the results of a batch, which it gets from a URL in an answer, and `POST /v1/complete`, which older ones have.
"""

from __future__ import annotations

from harness.wire.operations import Operations

SIMULATED = Operations("""
/v1/files GET POST
/v1/files/{} DELETE GET
/v1/files/{}/content GET
/v1/messages POST
/v1/messages/batches GET POST
/v1/messages/batches/{} DELETE GET
/v1/messages/batches/{}/cancel POST
/v1/messages/batches/{}/results GET
/v1/messages/count_tokens POST
/v1/models GET
/v1/models/{} GET
""")

REFUSED = Operations("""
/v1/agents GET POST
/v1/agents/{} GET POST
/v1/agents/{}/archive POST
/v1/agents/{}/versions GET
/v1/complete POST
/v1/deployment_runs GET
/v1/deployment_runs/{} GET
/v1/deployments GET POST
/v1/deployments/{} GET POST
/v1/deployments/{}/archive POST
/v1/deployments/{}/pause POST
/v1/deployments/{}/run POST
/v1/deployments/{}/unpause POST
/v1/dreams GET POST
/v1/dreams/{} GET
/v1/dreams/{}/archive POST
/v1/dreams/{}/cancel POST
/v1/environments GET POST
/v1/environments/{} DELETE GET POST
/v1/environments/{}/archive POST
/v1/environments/{}/work GET
/v1/environments/{}/work/poll GET
/v1/environments/{}/work/stats GET
/v1/environments/{}/work/{} GET POST
/v1/environments/{}/work/{}/ack POST
/v1/environments/{}/work/{}/heartbeat POST
/v1/environments/{}/work/{}/stop POST
/v1/memory_stores GET POST
/v1/memory_stores/{} DELETE GET POST
/v1/memory_stores/{}/archive POST
/v1/memory_stores/{}/memories GET POST
/v1/memory_stores/{}/memories/{} DELETE GET POST
/v1/memory_stores/{}/memory_versions GET
/v1/memory_stores/{}/memory_versions/{} GET
/v1/memory_stores/{}/memory_versions/{}/redact POST
/v1/organizations/analytics/apps/chat/projects GET
/v1/organizations/analytics/artifacts GET
/v1/organizations/analytics/connectors GET
/v1/organizations/analytics/cost GET
/v1/organizations/analytics/cost_report GET
/v1/organizations/analytics/plugins GET
/v1/organizations/analytics/skills GET
/v1/organizations/analytics/summaries GET
/v1/organizations/analytics/usage GET
/v1/organizations/analytics/usage_report GET
/v1/organizations/analytics/user_cost_report GET
/v1/organizations/analytics/user_usage_report GET
/v1/organizations/analytics/users GET
/v1/organizations/api_keys GET
/v1/organizations/api_keys/{} GET POST
/v1/organizations/claude_code/managed_settings/configuration GET POST
/v1/organizations/claude_code/managed_settings/rbac_group_default GET POST
/v1/organizations/claude_code/managed_settings/rbac_groups GET
/v1/organizations/claude_code/managed_settings/rbac_groups/{} DELETE GET POST
/v1/organizations/claude_tag/bundles GET
/v1/organizations/claude_tag/bundles/{} GET POST
/v1/organizations/claude_tag/bundles/{}/targets GET POST
/v1/organizations/claude_tag/bundles/{}/targets/{} DELETE GET
/v1/organizations/claude_tag/slack_channels GET POST
/v1/organizations/claude_tag/slack_channels/{} DELETE GET POST
/v1/organizations/claude_tag/slack_workspaces GET
/v1/organizations/claude_tag/slack_workspaces/{} GET POST
/v1/organizations/compliance_settings GET POST
/v1/organizations/external_keys GET POST
/v1/organizations/external_keys/{} DELETE GET POST
/v1/organizations/external_keys/{}/validate POST
/v1/organizations/federation_issuers GET POST
/v1/organizations/federation_issuers/{} GET POST
/v1/organizations/federation_issuers/{}/archive POST
/v1/organizations/federation_rules GET POST
/v1/organizations/federation_rules/{} GET POST
/v1/organizations/federation_rules/{}/archive POST
/v1/organizations/federation_rules/{}/workspaces GET POST
/v1/organizations/federation_rules/{}/workspaces/{} DELETE
/v1/organizations/invites GET POST
/v1/organizations/invites/{} DELETE GET
/v1/organizations/me GET
/v1/organizations/plugin_marketplaces GET
/v1/organizations/plugin_marketplaces/validate_archive POST
/v1/organizations/plugin_marketplaces/validate_repository POST
/v1/organizations/plugin_marketplaces/{} GET POST
/v1/organizations/plugins GET POST
/v1/organizations/plugins/{} DELETE GET POST
/v1/organizations/plugins/{}/installation_settings GET
/v1/organizations/plugins/{}/installation_settings/{} DELETE POST
/v1/organizations/plugins/{}/shares GET
/v1/organizations/plugins/{}/versions GET POST
/v1/organizations/plugins/{}/versions/{} GET
/v1/organizations/plugins/{}/versions/{}/content GET
/v1/organizations/rate_limits GET
/v1/organizations/rbac_groups GET POST
/v1/organizations/rbac_groups/{} DELETE GET POST
/v1/organizations/rbac_groups/{}/members GET POST
/v1/organizations/rbac_groups/{}/members/{} DELETE
/v1/organizations/rbac_roles GET
/v1/organizations/rbac_roles/{} GET
/v1/organizations/rbac_roles/{}/permissions GET
/v1/organizations/service_accounts GET POST
/v1/organizations/service_accounts/{} GET POST
/v1/organizations/service_accounts/{}/archive POST
/v1/organizations/service_accounts/{}/workspaces GET POST
/v1/organizations/service_accounts/{}/workspaces/{} DELETE
/v1/organizations/spend_limit_increase_requests GET
/v1/organizations/spend_limit_increase_requests/{} GET
/v1/organizations/spend_limit_increase_requests/{}/approve POST
/v1/organizations/spend_limit_increase_requests/{}/deny POST
/v1/organizations/spend_limits GET POST
/v1/organizations/spend_limits/effective GET
/v1/organizations/spend_limits/{} DELETE GET
/v1/organizations/telemetry_destinations GET POST
/v1/organizations/telemetry_destinations/{} DELETE GET POST
/v1/organizations/telemetry_destinations/{}/test POST
/v1/organizations/telemetry_destinations/{}/workspaces GET
/v1/organizations/telemetry_destinations/{}/workspaces/{} DELETE POST
/v1/organizations/users GET
/v1/organizations/users/{} DELETE GET POST
/v1/organizations/users/{}/sign_out POST
/v1/organizations/webhooks GET POST
/v1/organizations/webhooks/{} DELETE GET POST
/v1/organizations/webhooks/{}/regenerate_signing_secret POST
/v1/organizations/workspaces GET POST
/v1/organizations/workspaces/{} GET POST
/v1/organizations/workspaces/{}/archive POST
/v1/organizations/workspaces/{}/members GET POST
/v1/organizations/workspaces/{}/members/{} DELETE GET POST
/v1/organizations/workspaces/{}/rate_limits GET
/v1/organizations/workspaces/{}/rate_limits/{} POST
/v1/organizations/workspaces/{}/service_accounts GET POST
/v1/organizations/workspaces/{}/service_accounts/{} DELETE GET POST
/v1/sessions GET POST
/v1/sessions/{} DELETE GET POST
/v1/sessions/{}/archive POST
/v1/sessions/{}/events GET POST
/v1/sessions/{}/events/stream GET
/v1/sessions/{}/resources GET POST
/v1/sessions/{}/resources/{} DELETE GET POST
/v1/sessions/{}/threads GET
/v1/sessions/{}/threads/{} GET
/v1/sessions/{}/threads/{}/archive POST
/v1/sessions/{}/threads/{}/events GET
/v1/sessions/{}/threads/{}/stream GET
/v1/skills GET POST
/v1/skills/{} DELETE GET
/v1/skills/{}/versions GET POST
/v1/skills/{}/versions/{} DELETE GET
/v1/skills/{}/versions/{}/content GET
/v1/tunnels GET POST
/v1/tunnels/{} GET
/v1/tunnels/{}/archive POST
/v1/tunnels/{}/certificates GET POST
/v1/tunnels/{}/certificates/{} GET
/v1/tunnels/{}/certificates/{}/archive POST
/v1/tunnels/{}/reveal_token POST
/v1/tunnels/{}/rotate_token POST
/v1/user_profiles GET POST
/v1/user_profiles/{} DELETE GET POST
/v1/user_profiles/{}/action_urls POST
/v1/user_profiles/{}/enrollment_url POST
/v1/vaults GET POST
/v1/vaults/{} DELETE GET POST
/v1/vaults/{}/archive POST
/v1/vaults/{}/credentials GET POST
/v1/vaults/{}/credentials/{} DELETE GET POST
/v1/vaults/{}/credentials/{}/archive POST
/v1/vaults/{}/credentials/{}/mcp_oauth_validate POST
""")
"""Those that exist and are not simulated."""
