{{/* Names and labels, each in one place. */}}

{{/* Helm takes names that a Service may not have: with dots, or a digit at the front. */}}
{{- define "operator.name" -}}
{{- $name := .Release.Name | replace "." "-" -}}
{{- ternary (printf "operator-%s" $name) $name (regexMatch "^[0-9]" $name) | trunc 50 | trimAll "-" -}}
{{- end }}

{{/* Of what belongs to no namespace: a release of the same name in another namespace has its own. */}}
{{- define "operator.clusterName" -}}
{{- printf "%s.%s" (include "operator.name" .) .Release.Namespace -}}
{{- end }}

{{- define "operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "operator.name" .) -}}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: assistant-operator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: assistant-platform
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Labels and annotations of the pods: those of the values win, but for what selects them. */}}
{{- define "operator.podLabels" -}}
{{- mergeOverwrite (include "operator.labels" . | fromYaml) (.Values.podLabels | default dict) (include "operator.selector" . | fromYaml) | toYaml -}}
{{- end }}

{{- define "operator.podAnnotations" -}}
{{- $annotations := dict "kubectl.kubernetes.io/default-container" "operator" -}}
{{- if .Values.metrics.scrapeAnnotations -}}
{{- $annotations = merge $annotations (dict "prometheus.io/scrape" "true" "prometheus.io/port" "8080" "prometheus.io/path" "/metrics") -}}
{{- end -}}
{{- mergeOverwrite $annotations (.Values.podAnnotations | default dict) | toYaml -}}
{{- end }}

{{/* Variables of the values. A name that is there twice is refused by the API server, or silently the last one. */}}
{{- define "operator.env" -}}
{{- $set := dict "WATCH_NAMESPACES" "watchNamespaces" "LOG_LEVEL" "logLevel" "PORT" "" "LEASE_NAME" "" "POD_NAME" "" "POD_NAMESPACE" "" -}}
{{- if .Values.prometheus.url -}}
{{- $set = set $set "ASSISTANT_PROMETHEUS_URL" "prometheus.url" -}}
{{- end -}}
{{- range .Values.env -}}
{{- if hasKey $set .name -}}
{{- fail (printf "env: the chart sets %s: remove it here%s" .name (get $set .name | empty | ternary "" (printf ", and write %s" (get $set .name)))) -}}
{{- end -}}
{{- end -}}
{{- toYaml .Values.env -}}
{{- end }}
