{{- define "synth.name" -}}
{{- default .Chart.Name .Values.nameOverride }}
{{- end }}

{{- /* A release called synth is synth-operator, one called synth-operator-2 keeps its name. The names of Services, of at
       most 63 characters, append up to 11. */}}
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
{{- $full | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- /* Labels by which a Deployment finds its pods. Arguments: root context, component. */}}
{{- define "synth.selectorOf" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "synth.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "synth.selector" -}}
{{ include "synth.selectorOf" (list . "operator") }}
{{- end }}

{{- /* Labels that the chart sets, and that no value may set. Arguments: root context, component. */}}
{{- define "synth.ownLabels" -}}
{{- $root := index . 0 -}}
{{ include "synth.selectorOf" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/part-of: synth-operator
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Labels of an object. Arguments: root context, component, labels of this object alone. */}}
{{- define "synth.labelsOf" -}}
{{- $root := index . 0 }}
{{- $own := include "synth.ownLabels" (list $root (index . 1)) | fromYaml }}
{{- toYaml (merge $own (index . 2) $root.Values.commonLabels) }}
{{- end }}

{{- define "synth.labels" -}}
{{ include "synth.labelsOf" (list . "operator" dict) }}
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

{{- /* Reference of an image. Arguments: root context, an image's values. */}}
{{- define "synth.image" -}}
{{- $root := index . 0 }}
{{- with index . 1 }}
{{- $repository := .repository }}
{{- with $root.Values.global.imageRegistry }}
{{- $first := splitList "/" $repository | first }}
{{- /* As for a container runtime, the first part is a registry if it is localhost or has a dot or a port. */}}
{{- if and (contains "/" $repository) (or (eq $first "localhost") (contains "." $first) (contains ":" $first)) }}
{{- $repository = trimPrefix (printf "%s/" $first) $repository }}
{{- end }}
{{- $repository = printf "%s/%s" . $repository }}
{{- end }}
{{- if .digest }}
{{- printf "%s@%s" $repository .digest }}
{{- else }}
{{- printf "%s:%s" $repository (default $root.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "synth.priorityClass" -}}
{{- if .Values.priorityClassName }}
{{- .Values.priorityClassName }}
{{- else if .Values.priorityClass.create }}
{{- include "synth.fullname" . }}
{{- end }}
{{- end }}

{{- /* Settings that all pods of the chart share. Arguments: root context, component, replicas. */}}
{{- define "synth.podSettings" -}}
{{- $root := index . 0 }}
{{- $selector := dict "matchLabels" (include "synth.selectorOf" (list $root (index . 1)) | fromYaml) }}
{{- $spread := $root.Values.topologySpreadConstraints }}
{{- if and (not $spread) (gt (int (index . 2)) 1) }}
{{- $spread = list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway") }}
{{- end -}}
{{- with $root.Values.imagePullSecrets -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{ end }}
{{- with include "synth.priorityClass" $root -}}
priorityClassName: {{ . }}
{{ end -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with $spread }}
topologySpreadConstraints:
  {{- range . }}
  - {{- hasKey . "labelSelector" | ternary . (set (deepCopy .) "labelSelector" $selector) | toYaml | nindent 4 }}
  {{- end }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "synth.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
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
limits: {{ toJson .Values.limits }}
workers: {{ .Values.workers }}
logLevel: {{ .Values.logLevel }}
{{ toYaml .Values.sweeps }}
{{- end }}

{{- /* Not empty if any namespace has a limit. */}}
{{- define "synth.limits" -}}
{{- range prepend (values .Values.limits.namespaces) .Values.limits.default }}
{{- if . }}true{{ end }}
{{- end }}
{{- end }}

{{- /* Not empty if GPU hours have a limit in any namespace. */}}
{{- define "synth.limitsGpuHours" -}}
{{- range prepend (values .Values.limits.namespaces) .Values.limits.default }}
{{- if hasKey . "gpuHoursPerDay" }}true{{ end }}
{{- end }}
{{- end }}

{{- /* What the operator does in a namespace whose sweeps it works on. */}}
{{- define "synth.rules" -}}
- apiGroups: [synth-operator.io]
  resources: [synthsweeps, synthrecipes, synthdatasets]
  verbs: [list, watch]
# The finalizer of sweeps and datasets with deletionPolicy: Delete.
- apiGroups: [synth-operator.io]
  resources: [synthsweeps, synthdatasets]
  verbs: [get, patch]
- apiGroups: [synth-operator.io]
  resources: [synthsweeps/status, synthrecipes/status, synthdatasets/status]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, get, list, watch, patch, delete]
# What Jobs read: a ConfigMap per attempt.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create, get, list, delete]
{{- if include "synth.limits" . }}
# The report of the use of limits.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [synth-limits]
  verbs: [patch]
{{- end }}
# Exit codes, termination messages and why a pod waits.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# Why a Job makes no pod, and events of our own.
- apiGroups: [""]
  resources: [events]
  verbs: [create, list]
{{- end }}

{{- /* Refuse a list in which a key's value occurs twice or is one that the chart sets. Arguments: name of the list, key,
       list, values that the chart sets. */}}
{{- define "synth.checkUnique" -}}
{{- $name := index . 0 }}
{{- $key := index . 1 }}
{{- $own := index . 3 }}
{{- $seen := dict }}
{{- range index . 2 }}
{{- $value := index . $key }}
{{- if has $value $own }}
{{- fail (printf "%s: the %s %s belongs to the chart; choose another" $name $key $value) }}
{{- end }}
{{- if hasKey $seen $value }}
{{- fail (printf "%s: the %s %s occurs twice; take one of them out" $name $key $value) }}
{{- end }}
{{- $_ := set $seen $value true }}
{{- end }}
{{- end }}

{{- /* Name of the webhook's objects; the ValidatingWebhookConfiguration and its rights are the cluster's. */}}
{{- define "synth.webhookName" -}}
{{- printf "%s-webhook" (include "synth.fullname" .) }}
{{- end }}

{{- define "synth.webhookClusterName" -}}
{{- printf "%s.%s" (include "synth.webhookName" .) .Release.Namespace }}
{{- end }}

{{- define "synth.webhookLabels" -}}
{{ include "synth.labelsOf" (list . "webhook" dict) }}
{{- end }}

{{- /* What the webhook does in a namespace whose sweeps it checks. */}}
{{- define "synth.webhookRules" -}}
- apiGroups: [synth-operator.io]
  resources: [synthrecipes]
  verbs: [get]
{{- end }}
