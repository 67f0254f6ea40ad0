import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSchema } from './builtin.ts';
import { SchemaError } from './errors.ts';
import { typeError, unknownFields } from './fields.ts';
import recorded from './golden/protobuf.json' with { type: 'json' };
import type { JsonObject } from './json.ts';
import { decodeProtobuf, isProtobuf } from './protobuf.ts';

const bodies = recorded.bodies as unknown as { body: string; object: JsonObject }[];
const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

describe(`bodies that ${recorded.client} sent`, () => {
  test.each(bodies.map((entry) => [`${String(entry.object['kind'])}`, entry] as const))('%s', (kind, { body, object }) => {
    const decoded = decodeProtobuf(bytes(body));
    expect(decoded).toEqual(object);
    const [group, version] = String(decoded['apiVersion']).includes('/')
      ? String(decoded['apiVersion']).split('/')
      : ['', String(decoded['apiVersion'])];
    const schema = findSchema({ group: group!, version: version!, kind })!;
    expect(unknownFields(decoded, schema)).toEqual([]);
    expect(typeError(decoded, schema)).toBeUndefined();
  });
});

describe('bodies that nobody should send', () => {
  const [first] = bodies;

  test('damage anywhere is an error or another object, never a crash', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: bodies.length - 1 }),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (which, place, byte, cut) => {
          const body = bytes(bodies[which]!.body);
          const at = 4 + (place % (body.length - 4));
          body[at] = byte;
          try {
            decodeProtobuf(cut ? body.subarray(0, at) : body);
          } catch (error) {
            expect(error).toBeInstanceOf(SchemaError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each<[string, number[]]>([
    ['a length beyond the end', [0x12, 0x7f, 0x01]],
    ['a number without end', [0x08, ...Array.from({ length: 12 }, () => 0xff)]],
    ['a group', [0x0b]],
    ['half a tag', [0x80]],
  ])('%s is malformed', (_, tail) => {
    expect(() => decodeProtobuf(Uint8Array.from([0x6b, 0x38, 0x73, 0, ...tail]))).toThrowError(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });

  test('a kind without a table is unsupported', () => {
    const typeMeta = [0x0a, 4, ...Buffer.from('x/v1'), 0x12, 3, ...Buffer.from('Odd')];
    const body = Uint8Array.from([0x6b, 0x38, 0x73, 0, 0x0a, typeMeta.length, ...typeMeta]);
    expect(() => decodeProtobuf(body)).toThrowError(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  test('only the envelope is taken for protobuf', () => {
    expect(isProtobuf(bytes(first!.body))).toBe(true);
    expect(isProtobuf(Buffer.from('{"kind":"Pod"}'))).toBe(false);
    expect(isProtobuf(new Uint8Array())).toBe(false);
  });
});
