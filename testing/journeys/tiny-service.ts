import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commitAll, git, type Stage, writeText } from './stage.ts';

/** The smallest service in the procedure's layout: one image FROM scratch with a static web server, one chart. */
export interface TinyService {
  readonly name: string;
  readonly tree: string;
  /** Writes the files anew for a version and commits them. */
  commit(version: string): Promise<void>;
}

export async function tinyService(stage: Stage, person: string, name: string, remote: string): Promise<TinyService> {
  const tree = stage.path('work', name);
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, 'images/web'), { recursive: true });
  cpSync('/bin/busybox', join(tree, 'images/web/busybox'));
  await git(stage, person, dirname(tree), ['init', '--quiet', '--initial-branch', 'main', tree]);
  await git(stage, person, tree, ['config', 'credential.helper', '!desp git-credential']);
  await git(stage, person, tree, ['remote', 'add', 'origin', remote]);
  return {
    name,
    tree,
    async commit(version) {
      for (const [path, text] of Object.entries(filesOf(name, version))) writeText(join(tree, path), text);
      await commitAll(stage, person, tree, `Version ${version}`);
    },
  };
}

const filesOf = (name: string, version: string): Record<string, string> => ({
  'README.md': `# ${name}\n\nA static page.\n`,
  '.gitlab-ci.yml': `include:
  - project: $DEVSECOPS_TEMPLATES_REPOSITORY
    ref: $DEVSECOPS_TEMPLATES_REF
    file: "sample-app-devsecops.yml"

variables:
  WEB_IMAGE: "${name}/web:${version}"

build-web:
  extends: .build-e2e
  variables:
    DOCKER_BUILDPATH: images/web/
    TEST_IMAGE: "$WEB_IMAGE"
    BUILD_ARGS: |
      --build-arg VERSION=${version}

release-e2e-web:
  extends: .release-e2e
  needs:
    - job: "build-web"
  variables:
    TEST_IMAGE: "$WEB_IMAGE"
`,
  'images/web/Dockerfile': `FROM scratch
ARG VERSION
LABEL version=$VERSION
COPY busybox /busybox
COPY index.html /www/index.html
USER 1000
ENTRYPOINT ["/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
`,
  'images/web/index.html': `${name} ${version}\n`,
  'deployment/README.md': `# The chart of ${name}\n`,
  'deployment/Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
  'deployment/fleet.yaml': `defaultNamespace: ${name}
helm:
  releaseName: ${name}
targetCustomizations:
  - name: e2e
    clusterSelector:
      matchLabels:
        customer: e2e
    helm:
      chart: .
      valuesFiles:
        - ./values.e2e.yaml
`,
  'deployment/values.yaml': `image: registry-ct.e2e.desp.space/${name}/web:${version}\n`,
  'deployment/values.e2e.yaml': `image: registry-ct.e2e.desp.space/${name}/web:${version}\n`,
  'deployment/templates/secrets.yaml': `apiVersion: external-secrets.io/v1beta1
kind: SecretStore
metadata:
  name: vault-backend
spec:
  provider:
    vault:
      server: http://vault.vault.svc:8200
      path: ${name}
      version: v2
      auth:
        kubernetes:
          mountPath: kubernetes
          role: ${name}-read
          serviceAccountRef:
            name: default
---
apiVersion: external-secrets.io/v1beta1
kind: ExternalSecret
metadata:
  name: pull-secret
spec:
  dataFrom:
    - extract:
        conversionStrategy: Default
        decodingStrategy: Base64
        key: pull-secret
  refreshInterval: 1m
  secretStoreRef:
    kind: SecretStore
    name: vault-backend
  target:
    creationPolicy: Owner
    deletionPolicy: Retain
    name: harbor-image-pull
    template:
      engineVersion: v2
      mergePolicy: Replace
      type: kubernetes.io/dockerconfigjson
`,
  'deployment/templates/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: web
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web
    spec:
      imagePullSecrets:
        - name: harbor-image-pull
      containers:
        - name: web
          image: {{ .Values.image }}
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /index.html
              port: 8080
            periodSeconds: 1
          resources:
            requests:
              cpu: 10m
              memory: 16Mi
`,
});
