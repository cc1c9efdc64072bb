{{- define "synth.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* A release called synth is synth-operator, one called synth-operator-2 keeps its name. */}}
{{- define "synth.fullname" -}}
{{- $name := include "synth.name" . }}
{{- $full := printf "%s-%s" .Release.Name $name }}
{{- if .Values.fullnameOverride }}
{{- $full = .Values.fullnameOverride }}
{{- else if hasPrefix .Release.Name $name }}
{{- $full = $name }}
{{- else if contains $name .Release.Name }}
{{- $full = .Release.Name }}
{{- end }}
{{- $full | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "synth.selector" -}}
app.kubernetes.io/name: {{ include "synth.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "synth.labels" -}}
{{ include "synth.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: synth-operator
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "synth.serviceAccount" -}}
{{- if .Values.serviceAccount.name }}
{{- .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}
{{- include "synth.fullname" . }}
{{- else }}
{{- "default" }}
{{- end }}
{{- end }}

{{- /* Argument: list of the root context and an image's values. */}}
{{- define "synth.image" -}}
{{- $root := index . 0 }}
{{- with index . 1 }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $root.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The operator's configuration file, as synth_operator.configuration reads it. */}}
{{- define "synth.configuration" -}}
namespaces: {{ toJson .Values.namespaces }}
operatorImage: {{ include "synth.image" (list . .Values.image) | quote }}
rendererImage: {{ include "synth.image" (list . .Values.renderer.image) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
lease:
  name: {{ include "synth.fullname" . }}
  namespace: {{ .Release.Namespace }}
  durationSeconds: {{ .Values.lease.durationSeconds }}
healthPort: {{ .Values.health.port }}
metricsPort: {{ .Values.metrics.port }}
workers: {{ .Values.workers }}
logLevel: {{ .Values.logLevel }}
{{ toYaml .Values.sweeps }}
{{- end }}

{{- /* What the operator does in a namespace whose sweeps it works on. */}}
{{- define "synth.rules" -}}
- apiGroups: [synth-operator.io]
  resources: [synthsweeps, synthrecipes]
  verbs: [list, watch]
# The finalizer of sweeps with deletionPolicy: Delete.
- apiGroups: [synth-operator.io]
  resources: [synthsweeps]
  verbs: [get, patch]
- apiGroups: [synth-operator.io]
  resources: [synthsweeps/status, synthrecipes/status]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, get, list, watch, patch, delete]
# What Jobs read: a ConfigMap per attempt.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create, get, list, delete]
# Exit codes, termination messages and why a pod waits.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# Why a Job makes no pod, and events of our own.
- apiGroups: [""]
  resources: [events]
  verbs: [create, list]
{{- end }}
