import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issue } from '../test-data/certificates.ts';
import { runChart } from '../test-data/run-chart.ts';
import { readTls } from './tls-files.ts';

/** Files of certificates and keys that are wrong, in the words of Helm 3.22.0 and 4.3.1, measured on loopback. */

let folder = '';
const start = process.cwd();
const ca = issue('ca');
const client = issue('client', { signer: ca });
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-tls-'));
  process.chdir(folder);
  mkdirSync('folder');
  const files = {
    'ca.pem': ca.certificate,
    'client.pem': client.certificate,
    'client.key': client.key,
    'other.key': issue('other').key,
    'rsa.key': generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'wrong.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'wrong.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    'request.pem': '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
    'mixed.pem': `text\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${ca.certificate}`,
    garbage: 'garbage\n',
    empty: '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(name, text);
});
afterAll(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true, force: true });
});

const read = (helm: 'helm3' | 'helm4', [certFile, keyFile, caFile]: readonly [string, string, string], insecure = false) =>
  readTls({ certFile, keyFile, caFile, insecure }, helm);

describe('refuses', () => {
  const pair3 = (cert: string, key: string): string => `can't load key pair from cert ${cert} and key ${key}: `;
  const pair4 = 'unable to load cert from key pair: ';
  const both = (cert: string, key: string, why: string): [string, string] => [pair3(cert, key) + why, pair4 + why];
  const after = 'after skipping PEM blocks of the following types: [CERTIFICATE REQUEST]';
  const missing = 'no such file or directory';

  test.each<[readonly [string, string, string], readonly [string, string]]>([
    [
      ['', '', 'nope'],
      ["can't read CA file: nope", `can't read CA file: "nope": open nope: ${missing}`],
    ],
    [
      ['', '', 'folder'],
      ["can't read CA file: folder", `can't read CA file: "folder": read folder: is a directory`],
    ],
    [
      ['', '', 'garbage'],
      ['failed to append certificates from file: garbage', 'failed to append certificates from pem block'],
    ],
    [
      ['', '', 'wrong.pem'],
      ['failed to append certificates from file: wrong.pem', 'failed to append certificates from pem block'],
    ],
    [
      ['nope', 'nope', ''],
      [`${pair3('nope', 'nope')}open nope: ${missing}`, `unable to read cert file: "nope": open nope: ${missing}`],
    ],
    [
      ['nope', 'nope', 'nope'],
      [
        `${pair3('nope', 'nope')}open nope: ${missing}`,
        `unable to read cert file: "nope": open nope: ${missing}\ncan't read CA file: "nope": open nope: ${missing}`,
      ],
    ],
    [
      ['client.pem', 'nope', ''],
      [`${pair3('client.pem', 'nope')}open nope: ${missing}`, `unable to read key file: "nope": open nope: ${missing}`],
    ],
    [['garbage', 'client.key', ''], both('garbage', 'client.key', 'tls: failed to find any PEM data in certificate input')],
    [['client.pem', 'garbage', ''], both('client.pem', 'garbage', 'tls: failed to find any PEM data in key input')],
    [
      ['client.key', 'client.pem', ''],
      both(
        'client.key',
        'client.pem',
        'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
      ),
    ],
    [
      ['client.pem', 'client.pem', ''],
      both('client.pem', 'client.pem', 'tls: found a certificate rather than a key in the PEM for the private key'),
    ],
    [
      ['request.pem', 'client.key', ''],
      both('request.pem', 'client.key', `tls: failed to find "CERTIFICATE" PEM block in certificate input ${after}`),
    ],
    [
      ['client.pem', 'request.pem', ''],
      both('client.pem', 'request.pem', `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input ${after}`),
    ],
    [['wrong.pem', 'client.key', ''], both('wrong.pem', 'client.key', 'x509: malformed certificate')],
    [['client.pem', 'wrong.key', ''], both('client.pem', 'wrong.key', 'tls: failed to parse private key')],
    [['client.pem', 'other.key', ''], both('client.pem', 'other.key', 'tls: private key does not match public key')],
    [['client.pem', 'rsa.key', ''], both('client.pem', 'rsa.key', 'tls: private key type does not match public key type')],
    [['client.pem', 'other.key', 'garbage'], both('client.pem', 'other.key', 'tls: private key does not match public key')],
  ])('%j', (files, [helm3, helm4]) => {
    const why = (error: string) => expect.objectContaining({ message: `can't create TLS config for client: ${error}` });
    expect(() => read('helm3', files)).toThrow(why(helm3));
    expect(() => read('helm4', files)).toThrow(why(helm4));
  });
});

test('half a pair counts for nothing; beside something else, Helm 4 wants the other half', () => {
  for (const helm of ['helm3', 'helm4'] as const)
    for (const half of [
      ['nope', '', ''],
      ['', 'nope', ''],
    ] as const)
      expect(read(helm, half)).toEqual({ insecure: false });
  expect(read('helm3', ['client.pem', '', 'ca.pem'])).toEqual({ ca: ca.certificate.trim(), insecure: false });
  expect(read('helm3', ['client.pem', '', ''], true)).toEqual({ insecure: true });
  expect(() => read('helm4', ['client.pem', '', ''], true)).toThrow('unable to read key file: "": open : no such file or directory');
  expect(() => read('helm4', ['', 'client.key', 'ca.pem'])).toThrow('unable to read cert file: "": open : no such file or directory');
});

test('empty files say nothing to Helm 4', () => {
  expect(read('helm4', ['empty', 'client.key', 'empty'])).toEqual({ insecure: false });
  expect(() => read('helm3', ['', '', 'empty'])).toThrow('failed to append certificates from file: empty');
});

test('takes what is right, and of certificates those that can be read', () => {
  for (const helm of ['helm3', 'helm4'] as const)
    expect(read(helm, ['client.pem', 'client.key', 'mixed.pem'])).toEqual({
      ca: ca.certificate.trim(),
      cert: client.certificate.trim(),
      key: client.key.trim(),
      insecure: false,
    });
});

test.each([
  ['pull', 'web', '--repo', 'https://127.0.0.1:1'],
  ['show', 'chart', './nowhere'],
  ['template', 'demo', './nowhere'],
  ['package', './nowhere'],
  ['push', './nowhere', 'oci://127.0.0.1:1/x'],
  ['dependency', 'build', './nowhere'],
])('%s looks at them before it does anything', async (...args) => {
  const words = "Error: missing registry client: can't create TLS config for client: ";
  expect((await runChart(...args, '--ca-file', 'garbage')).stderr).toBe(`${words}failed to append certificates from pem block\n`);
  expect((await runChart('--helm', '3', ...args, '--ca-file', 'nope')).stderr).toBe(`${words}can't read CA file: nope\n`);
});
