{{ define "lib.name" }}from-{{ .Chart.Name }}{{ end }}
