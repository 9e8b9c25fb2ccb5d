"""The operations of the Gemini API, as its SDK has them and a few that it has not.

A new SDK may bring operations that are in neither table; `tests/wire/gemini/test_operations.py` names them.
"""

from __future__ import annotations

from harness.wire.operations import Operations

SIMULATED = Operations("""
/cachedContents GET POST
/cachedContents/{} DELETE GET PATCH
/models GET
/models/{} GET
/models/{}:batchEmbedContents POST
/models/{}:countTokens POST
/models/{}:embedContent POST
/models/{}:generateContent POST
/models/{}:streamGenerateContent POST
""")

REFUSED = Operations("""
/agents GET POST
/agents/{} DELETE GET
/auth_tokens POST
/batches GET
/batches/{} DELETE GET
/batches/{}:cancel POST
/corpora GET POST
/credentials GET POST
/credentials/{} DELETE GET PATCH
/decisions POST
/environments GET POST
/environments/{} DELETE GET
/environments/{}/files/{} GET PUT
/fileSearchStores GET POST
/fileSearchStores/{} DELETE GET
/fileSearchStores/{}/documents GET
/fileSearchStores/{}/documents/{} DELETE GET
/fileSearchStores/{}/operations/{} GET
/fileSearchStores/{}:importFile POST
/fileSearchStores/{}:uploadToFileSearchStore POST
/files GET POST
/files/{} DELETE GET
/files/{}:download GET
/files:register POST
/interactions POST
/interactions/{} DELETE GET
/interactions/{}/auth_tokens POST
/interactions/{}/auth_tokens/{} DELETE
/interactions/{}/cancel POST
/models/{} DELETE PATCH
/models/{}/operations/{} GET
/models/{}:asyncBatchEmbedContent POST
/models/{}:batchGenerateContent POST
/models/{}:computeTokens POST
/models/{}:fetchPredictOperation POST
/models/{}:predict POST
/models/{}:predictLongRunning POST
/operations/{} GET
/triggers GET POST
/triggers/{} DELETE GET PATCH
/triggers/{}/executions GET POST
/tunedModels GET POST
/tunedModels/{} DELETE GET PATCH
/tunedModels/{}:cancel POST
/tunedModels/{}:generateContent POST
/tunedModels/{}:streamGenerateContent POST
/tuningJobs GET POST
/tuningJobs:validateReinforcementTuningReward POST
/voices GET POST
/voices/{} DELETE GET
/webhooks GET POST
/webhooks/{} DELETE GET PATCH
/webhooks/{}:ping POST
/webhooks/{}:rotateSigningSecret POST
""")
"""Those that exist and are not simulated."""
