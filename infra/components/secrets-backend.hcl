# OpenBao, initialised and configured by itself on its first start (dev tier).
#
# It unseals with the key of a Kubernetes Secret, so a restarted pod needs nobody. The `initialize` blocks run once, on
# empty storage, with a root token that is revoked right after; the server answers nobody before they are done. What
# happens if they are cut short: secrets-backend.sh.
ui           = true
log_level    = "info"
log_format   = "json"
api_addr     = "http://openbao:8200"
cluster_addr = "https://127.0.0.1:8201"

listener "tcp" {
  address         = "[::]:8200"
  cluster_address = "127.0.0.1:8201"
  tls_disable     = true # dev tier: traffic stays within the cluster
  telemetry {
    unauthenticated_metrics_access = true
  }
}

storage "raft" {
  path                   = "/openbao/data" # BAO_RAFT_PATH says which folder of it
  node_id                = "openbao-0"
  performance_multiplier = 1 # a single node elects itself in one second instead of five
}

seal "static" {
  current_key_id = "1"
  current_key    = "file:///run/secrets/openbao/sealKey"
}

telemetry {
  disable_hostname          = true
  prometheus_retention_time = "1h"
}

# Every read and write of a secret, on the pod's log; values are hashed.
audit "file" "stdout" {
  options {
    file_path = "stdout"
  }
}

initialize "engines" {
  request "secrets" {
    operation = "update"
    path      = "sys/mounts/secret"
    data = {
      type    = "kv"
      options = { version = "2" }
    }
  }
}

initialize "policies" {
  request "assistant" {
    operation = "update"
    path      = "sys/policies/acl/assistant"
    data = {
      policy = "path \"secret/data/assistant\" { capabilities = [\"read\"] }"
    }
  }
  request "platform-admin" {
    operation = "update"
    path      = "sys/policies/acl/platform-admin"
    data = {
      policy = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"patch\", \"delete\", \"list\", \"sudo\"] }"
    }
  }
}

initialize "identity" {
  request "kubernetes" {
    operation = "update"
    path      = "sys/auth/kubernetes"
    data      = { type = "kubernetes" }
  }
  # No CA and no reviewer token: OpenBao uses its own service account's, and reads them again as they are renewed.
  request "kubernetes-config" {
    operation = "update"
    path      = "auth/kubernetes/config"
    data      = { kubernetes_host = "https://kubernetes.default.svc" }
  }
  request "assistant-role" {
    operation = "update"
    path      = "auth/kubernetes/role/assistant"
    data = {
      bound_service_account_names      = ["{{serviceAccount}}"]
      bound_service_account_namespaces = ["{{serviceAccountNamespace}}"]
      token_policies                   = ["assistant"]
      token_ttl                        = "20m"
      token_max_ttl                    = "24h"
    }
  }
}

initialize "contents" {
  request "assistant" {
    operation = "update"
    path      = "secret/data/assistant"
    data = {
      data = {
        redisPassword = {
          eval_type   = "string"
          eval_source = "file"
          path        = "/run/secrets/openbao/redisPassword"
        }
        tokenSigningKey = {
          eval_type   = "string"
          eval_source = "file"
          path        = "/run/secrets/openbao/tokenSigningKey"
        }
        unleashToken = {
          eval_type   = "string"
          eval_source = "file"
          path        = "/run/secrets/openbao/unleashToken"
        }
      }
    }
  }
}

# Last, so that this token works only when everything above is there: the startup probe looks it up.
initialize "people" {
  request "longer-tokens" {
    operation = "update"
    path      = "sys/auth/token/tune"
    data      = { max_lease_ttl = "87600h" }
  }
  request "admin-token" {
    operation = "update"
    path      = "auth/token/create-orphan"
    data = {
      id = {
        eval_type   = "string"
        eval_source = "file"
        path        = "/run/secrets/openbao/adminToken"
      }
      policies     = ["platform-admin"]
      display_name = "platform-admin"
      ttl          = "87600h"
    }
  }
}
