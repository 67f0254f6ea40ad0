{{- define "helper" }}helped {{ .x }}{{ end }}
{{- define "failing" }}
{{ .Values.none.deep }}
{{ end }}
