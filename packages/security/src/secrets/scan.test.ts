import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanSecrets } from './scan.ts';

/** Planted secrets are put together here, so that this file holds none for other scanners. */
const join = (...parts: string[]): string => parts.join('');
const random40 = join('wJalrXUtnFEMI', '/K7MDENG+bPxRfi', 'CYzzQqLmNo12');
const jwt = join(
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
  '.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ',
  '.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
);

const planted: [string, string][] = [
  ['private-key', join('-----BEGIN RSA ', 'PRIVATE KEY-----')],
  ['private-key', join('-----BEGIN EC ', 'PRIVATE KEY-----')],
  ['private-key', join('  key: |\n    -----BEGIN OPENSSH ', 'PRIVATE KEY-----\n    b3Blbn')],
  ['private-key', join('-----BEGIN ', 'PRIVATE KEY-----')],
  ['aws-access-key', join('aws_access_key_id = AKIA', 'QYLPMN5HFIQR7XYA')],
  ['aws-secret-key', `aws_secret_access_key = ${random40}`],
  ['gitlab-token', join('TOKEN=glpat', '-zY7xWv5uTs3rQp1oNm9L')],
  ['github-token', join('ghp', '_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5')],
  ['slack-token', join('xoxb', '-123456789012-abcdefABCDEF1234567890')],
  ['vault-token', join('VAULT_TOKEN: hvs', '.CAESIJ9f8e7d6c5b4a3Zyxwvu')],
  ['jwt', `authorization: Bearer ${jwt}`],
  ['docker-auth', `{"auths":{"registry":{"auth":"${btoa('robot:S3cr3t!x')}"}}}`],
  ['url-password', join('DATABASE=postgres://app:', 'pR9xQ2mZ', '@db.internal:5432/app')],
  ['assigned-password', join('password: "', 'Tr0ub4dor&3xyz', '"')],
  ['assigned-password', join('DB_PASSWORD=', 'k9Zp2Lq8Vw')],
  ['assigned-password', join("const apiKey = '", 'a8f5f167f44f4964e6c998dee827110c', "';")],
  ['assigned-password', join('  "clientSecret": "', '8Q~xY2bV7nM4kL9pR3tW', '",')],
  ['kubernetes-secret', join('apiVersion: v1\nkind: Secret\ndata:\n  user-name: ', btoa('gW8sPq2Lx9vT'), '\n')],
  ['kubernetes-secret', join('kind: Secret\nmetadata:\n  name: x\nstringData:\n  value: "', 'gW8sPq2Lx9vT', '"\n')],
];

test.each(planted)('finds %s', (rule, text) => {
  const { findings } = scanSecrets([{ path: 'src/a.txt', text }]);
  expect(findings.map((finding) => finding.rule)).toContain(rule);
});

test('a finding names the line and never the secret', () => {
  const secret = join('Tr0ub4dor', '&3xyz!9Q');
  const { findings } = scanSecrets([{ path: 'conf/app.yaml', text: `a: b\npassword: "${secret}"\n` }]);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ location: 'conf/app.yaml:2', redacted: 'Tr0u… (17 characters)', marked: false });
  expect(JSON.stringify(findings)).not.toContain(secret.slice(4));
});

test('in a program a value without quotes is a name', () => {
  const text = 'interface A { password: Uint8Array; token: Base64Text2 }\n  password: Uint8Array,\n';
  expect(scanSecrets([{ path: 'a.ts', text }]).findings).toEqual([]);
});

test.each([
  'password: {{ .Values.db.password | quote }}',
  'password: ${DB_PASSWORD}',
  'const password = process.env.DB_PASSWORD;',
  'password = os.environ["DB_PASSWORD"]',
  'password: changeme',
  'password: <your-password>',
  'secretKeyRef:',
  'secretName: sample-app-registry',
  'token: access-token-for-the-registry',
  'const token = await fetchToken(issuer, clientId);',
  'tokenUrl: https://identity.example.org/realms/desp/token',
  'secret: /var/run/secrets/kubernetes.io/serviceaccount/token',
  'kind: ExternalSecret\nspec:\n  data:\n    - secretKey: user\n      remoteRef:\n        key: sample-app/s3',
  'kind: Secret\nstringData:\n  password: {{ .Values.password }}\n',
  '"integrity": "sha512-2h2WJkJzX8+Kp3h0vK7WmJ3l0n1Zb3Q2y8m0cC1Jr6hVbB0z7sQ4vJpF4p5h1rYkNQ8n0sLz9kq5a2v7d3m1tQ=="',
  'image: registry.example.org/a/b@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'if (line.includes("-----BEGIN PRIVATE KEY-----")) parse(line);',
  'passwordField.setLabel("Enter your password here");',
  'function checkPassword(password: string, attempts: number): boolean {',
  'password: string;',
  'AWS_SECRET_ACCESS_KEY: AKIAIOSFODNN7EXAMPLE',
])('leaves ordinary text alone: %s', (text) => {
  expect(scanSecrets([{ path: 'a.yaml', text }]).findings).toEqual([]);
});

describe('marks', () => {
  test('a line that asks scanners to look away is counted and judged all the same', () => {
    const text = join('DB_PASSWORD=', 'k9Zp2Lq8Vw', ' # gitleaks:allow\n');
    const scan = scanSecrets([{ path: '.env', text }]);
    expect(scan.findings).toMatchObject([{ rule: 'assigned-password', marked: true }]);
    expect(scan.marks).toEqual(['.env:1']);
  });
});

test('what is no text, or too large, is listed', () => {
  const scan = scanSecrets([
    { path: 'a.bin', text: 'a\0b' },
    { path: 'b.txt', text: 'x'.repeat((8 << 20) + 1) },
  ]);
  expect(scan.notAssessed.map((item) => item.what)).toEqual(['a.bin', 'b.txt']);
});

test('hostile lines take time by their length only', () => {
  const started = performance.now();
  for (const piece of ['password=', 'aws secret ', '"auth":"', 'a://b:', 'eyJ', 'token:"', '-----BEGIN '])
    scanSecrets([{ path: 'x', text: piece.repeat(20_000) }]);
  expect(performance.now() - started).toBeLessThan(5000);
});

test('never throws', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), (text) => {
      scanSecrets([{ path: 'x', text }]);
    }),
    { numRuns: 300 },
  );
});
