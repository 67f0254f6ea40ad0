import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VaultError } from '../errors.ts';
import { Acl } from './acl.ts';
import { type Capability, diagnosePolicy, parsePolicy } from './policy.ts';

const rule = (path: string, ...capabilities: Capability[]) => ({ path, capabilities: new Set(capabilities) });

describe('which rule decides', () => {
  it.each<[string, string[], string, string]>([
    ['exact beats wild', ['secret/*', 'secret/a'], 'secret/a', 'secret/a'],
    ['later first wildcard', ['secret/*', 'secret/team/*'], 'secret/team/x', 'secret/team/*'],
    ['a star late beats a plus early', ['+/team/x', 'secret/*'], 'secret/team/x', 'secret/*'],
    ['no star at the end', ['secret/+/x*', 'secret/+/x'], 'secret/team/x', 'secret/+/x'],
    ['fewer plusses', ['secret/+/+/x*', 'secret/+/b/x*'], 'secret/a/b/x', 'secret/+/b/x*'],
    ['longer', ['secret/+/b*', 'secret/+/bcd*'], 'secret/a/bcde', 'secret/+/bcd*'],
    ['a plus is one segment', ['secret/+', 'secret/*'], 'secret/a/b', 'secret/*'],
  ])('%s', (_title, paths, asked, winner) => {
    const marks: Capability[] = ['read', 'update', 'delete'];
    for (const order of [paths, [...paths].reverse()]) {
      const acl = new Acl([order.map((path) => rule(path, marks[paths.indexOf(path)]!))]);
      expect(acl.capabilities(asked)).toEqual([marks[paths.indexOf(winner)]]);
    }
  });

  it('adds up over policies, and lets deny win', () => {
    const acl = new Acl([[rule('a/*', 'read')], [rule('a/*', 'list')], [rule('b/*', 'read')], [rule('b/*', 'deny')]]);
    expect([acl.capabilities('a/x'), acl.capabilities('b/x'), acl.capabilities('c')]).toEqual([['list', 'read'], ['deny'], ['deny']]);
  });

  it('lists a folder with and without its slash', () => {
    const acl = new Acl([[rule('s/metadata/app', 'list'), rule('s/metadata/+/deep', 'list')]]);
    expect([
      acl.allows('s/metadata/app/', 'list'),
      acl.allows('s/metadata/x/deep/', 'list'),
      acl.allows('s/metadata/app/', 'read'),
    ]).toEqual([true, true, false]);
  });

  it('knows whether anything below a mount is in reach', () => {
    const acl = new Acl([[rule('secret/data/a', 'read'), rule('+/data/b', 'read'), rule('gone/*', 'deny')]]);
    expect([acl.reaches('secret/'), acl.reaches('any/'), acl.reaches('gone/')]).toEqual([true, true, true]);
    expect(new Acl([[rule('gone/*', 'deny'), rule('secret2/x', 'read')]]).reaches('secret/')).toBe(false);
  });
});

describe('the text of a policy', () => {
  it('reads HCL in its forms, and JSON', () => {
    const rules = parsePolicy(`
      # comment
      path "secret/data/app" { capabilities = ["read", "list",] } // comment
      path "/a/*" { policy = "write" } /* several
      lines */
      path "b" = { capabilities = ["read", "deny"] }
    `);
    expect(rules.map(({ path, capabilities }) => [path, [...capabilities]])).toEqual([
      ['secret/data/app', ['read', 'list']],
      ['a/*', ['create', 'read', 'update', 'delete', 'list']],
      ['b', ['deny']],
    ]);
    expect(parsePolicy('{"path":{"a/+/b":{"capabilities":["sudo"]}}}')).toEqual([rule('a/+/b', 'sudo')]);
  });

  it.each([
    ['path "a" { capabilities = ["fly"] }', 'invalid capability "fly"'],
    ['path "a+*" { capabilities = ["read"] }', "'+*' is forbidden"],
    ['path "a*b" { capabilities = ["read"] }', "'*' is allowed at the end only"],
    ['path "a" { allowed_parameters = {} }', '"allowed_parameters" is not supported here'],
    ['rule "a" { }', 'invalid key "rule"'],
    ['path "a" {\n capabilities = [\n"read" "list"] }', 'line 3'],
    ['path "a" { capabilities = ["read"] capabilities = [] }', 'given twice'],
    ['path "a" ${x}', 'does not belong'],
    [`path "a" { x = ${'['.repeat(50)} }`, 'nested over'],
    ['{"path":[]}', 'no "path" object'],
  ])('refuses %s', (text, why) => {
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID', message: expect.stringContaining(why) }));
  });

  it('of any kind is read or refused, never anything else', () => {
    const pieces = fc.constantFrom(
      'path',
      '"a/*"',
      '{',
      '}',
      '=',
      '[',
      ']',
      ',',
      'capabilities',
      '"read"',
      '"',
      '\\',
      '#',
      '/*',
      '\n',
      '1',
      'true',
      ':',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 30 }).map((list) => list.join(' ')),
        ),
        (text) => {
          try {
            parsePolicy(text);
          } catch (error) {
            expect(error).toBeInstanceOf(VaultError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('that forgets data/ is told so', () => {
    const mounts = ['secret/'];
    expect(diagnosePolicy(parsePolicy('path "secret/app" { capabilities = ["read"] }'), mounts)).toHaveLength(1);
    expect(
      diagnosePolicy(
        parsePolicy(
          'path "secret/data/app" { capabilities = ["read"] } path "secret/*" { policy = "read" } path "x/y" { policy = "read" }',
        ),
        mounts,
      ),
    ).toEqual([]);
  });
});
