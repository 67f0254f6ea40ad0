import { describe, expect, test } from 'vitest';
import { createdByHash, dataHash, metadataHash } from './object-hash.ts';

describe('hashes', () => {
  const data = new Map([
    ['secret', Buffer.from('secretForS3')],
    ['access', Buffer.from('accessForS3')],
  ]);

  test('of data: the one printed in the procedure (0.9), and the one recorded from the real part (current)', () => {
    expect(dataHash(data, 'md5')).toBe('5a1c1f22b3445c1634a94757f72bede1');
    expect(dataHash(data, 'sha3-224')).toBe('52197432b265e5065d2a8c10689dbf797450cd94da51322da602e0a4');
  });
  test('of the owner: recorded from the real part', () => {
    expect(createdByHash('sample-app/vault-s3-secret')).toBe('6a9c0a6f300928f69137dc3021f4036cf5db49391ee682013c7d03ce');
  });
  test('of metadata: does not depend on the order of keys, but on every value', () => {
    const one = metadataHash({ labels: { a: '1', b: '2' } }, 'md5');
    expect(metadataHash({ labels: { b: '2', a: '1' } }, 'md5')).toBe(one);
    expect(metadataHash({ labels: { a: '1', b: '3' } }, 'md5')).not.toBe(one);
    expect(metadataHash({ annotations: { a: '1', b: '2' } }, 'md5')).not.toBe(one);
  });
});
