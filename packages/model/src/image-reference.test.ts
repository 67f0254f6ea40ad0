import { expect, test } from 'vitest';
import { formatImageReference, parseImageReference } from './image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  [
    'registry-ct.e2e.desp.space/sample-app/image-a:1.0.0',
    { host: 'registry-ct.e2e.desp.space', repository: 'sample-app/image-a', tag: '1.0.0' },
  ],
  ['127.0.0.1:7311/a/b/c', { host: '127.0.0.1:7311', repository: 'a/b/c' }],
  [`localhost:5000/a@${digest}`, { host: 'localhost:5000', repository: 'a', digest }],
  [`sample-app/image-a:1.0.0@${digest}`, { repository: 'sample-app/image-a', tag: '1.0.0', digest }],
  ['alpine:3.3', { repository: 'alpine', tag: '3.3' }],
])('reads %s', (text, parts) => {
  const reference = parseImageReference(text);
  expect(reference).toEqual({ host: undefined, tag: undefined, digest: undefined, ...parts });
  expect(formatImageReference(reference!)).toBe(text);
});

test.each(['', ':1', 'A/b', 'a//b', '/a', 'a/', 'a:b c', 'a@sha256:12', 'a b', '../a', 'a/../b', 'x'.repeat(600)])('refuses %j', (text) => {
  expect(parseImageReference(text)).toBeUndefined();
});
