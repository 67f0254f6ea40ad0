/**
 * Plays `cases.ts` against a real kube-apiserver and writes its answers to `answers.json`:
 *
 *   NODE_TLS_REJECT_UNAUTHORIZED=0 node golden/record.ts https://127.0.0.1:PORT < FILE_WITH_A_TOKEN
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { cases } from './cases.ts';
import { normalAnswer } from './normal.ts';
import type { Case, Step } from './request.ts';

const server = process.argv[2] ?? '';
const token = readFileSync(0, 'utf8').trim();
const contentTypes: Readonly<Record<Step['verb'], string>> = {
  create: 'application/json',
  replace: 'application/json',
  apply: 'application/apply-patch+yaml',
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

async function send(method: string, path: string, body?: unknown, contentType = 'application/json') {
  const response = await fetch(server + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Parameters<typeof normalAnswer>[0];
}

async function play({ path, steps }: Case, namespace: string) {
  const collection = path.replace('NS', namespace);
  const answers = [];
  for (const { verb, manager, force, body } of steps) {
    const query = `?fieldManager=${manager}${verb === 'apply' ? `&force=${force === true}` : ''}`;
    const contentType = contentTypes[verb];
    if (verb === 'create') answers.push(await send('POST', collection + query, body, contentType));
    else if (verb === 'replace') {
      const live = await send('GET', `${collection}/x`);
      answers.push(await send('PUT', `${collection}/x${query}`, applyMergePatch(live, body as never), contentType));
    } else answers.push(await send('PATCH', `${collection}/x${query}`, body, contentType));
  }
  return answers.map(normalAnswer);
}

const version = await send('GET', '/version');
const answers: Record<string, unknown> = {};
for (const [index, entry] of cases.entries()) {
  const namespace = `golden-${Date.now() % 1_000_000_000}${index}`;
  await send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  answers[entry.name] = await play(entry, namespace);
}
writeFileSync(join(import.meta.dirname, 'answers.json'), `${JSON.stringify({ server: version['gitVersion'], answers }, null, 1)}\n`);
