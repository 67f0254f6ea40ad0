import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderBuildArguments } from './build-arguments.ts';
import { readDockerfile } from './dockerfile.ts';
import { EngineError } from './errors.ts';

const read = (text: string, buildArgs: Record<string, string> = {}) =>
  readDockerfile(text, 'Dockerfile', buildArgs, ['desp/node:24', 'desp/static:1']);

describe('reading a Dockerfile', () => {
  test.each<[string, string, Record<string, string>, string[]]>([
    ['scratch needs nothing', 'FROM scratch\n', {}, []],
    ['a name', 'FROM desp/node:24\n', {}, ['desp/node:24']],
    [
      'flags, a stage, comments, a directive',
      '# syntax=docker/dockerfile:1\n#x\nfrom --platform=linux/amd64 desp/node:24 as One\nFROM one\n',
      {},
      ['desp/node:24'],
    ],
    ['an ARG before FROM, with default', 'ARG A=desp/node:24\nFROM $A\n', {}, ['desp/node:24']],
    ['an ARG given from outside', 'ARG A\nFROM ${A:-scratch}\n', { A: 'desp/static:1' }, ['desp/static:1']],
    [
      'COPY and RUN --mount from images',
      'FROM scratch\nCOPY --from=desp/node:24 / /\nRUN --mount=type=cache,target=/c --mount=type=bind,from=desp/static:1,target=/m x\n',
      {},
      ['desp/node:24', 'desp/static:1'],
    ],
    [
      'earlier stages by name and number',
      'FROM scratch AS a\nFROM scratch\nCOPY --from=A / /\nCOPY --from=0 / /\nRUN --mount=from=a,target=/m x\n',
      {},
      [],
    ],
    [
      'mounts that name no source',
      'FROM desp/node:24\nRUN --mount=type=tmpfs,target=/t \\\n --mount=type=secret,id=x,required=false x\n',
      {},
      ['desp/node:24'],
    ],
  ])('%s', (_title, text, args, images) => {
    expect(read(text, args)).toEqual(images);
  });

  test.each([
    ['', 'DOCKERFILE_INVALID', 1],
    ['RUN x\n', 'DOCKERFILE_INVALID', 1],
    ['ARG A\nFROM $A\n', 'DOCKERFILE_INVALID', 2],
    ['FROM alpine:3', 'BASE_IMAGE_UNKNOWN', 1],
    ['FROM 0', 'BASE_IMAGE_UNKNOWN', 1],
    ['FROM desp/node:24 AS Ünfug', 'DOCKERFILE_INVALID', 1],
    ['FROM scratch\nCOPY --from=evil/image:1 / /', 'BASE_IMAGE_UNKNOWN', 2],
    ['FROM scratch AS a\nCOPY --from=a / /', 'BASE_IMAGE_UNKNOWN', 2],
    ['FROM scratch\nCOPY --from=0 / /', 'BASE_IMAGE_UNKNOWN', 2],
    ['FROM scratch\nARG X=desp/node:24\nCOPY --from=$X / /', 'DOCKERFILE_INVALID', 3],
    ['FROM scratch\nRUN --mount=type=bind,from=evil,target=/m x', 'BASE_IMAGE_UNKNOWN', 2],
    ['FROM scratch\nRUN --mount=type=tmpfs,target=/t \\\n  --mount=type=bind,"FROM=evil",target=/m x', 'BASE_IMAGE_UNKNOWN', 2],
    ['FROM scratch\nRUN --mount=type=bind,from=$E,target=/m x', 'DOCKERFILE_INVALID', 2],
    ['FROM scratch\nADD http://127.0.0.1/x /x', 'DOCKERFILE_INVALID', 2],
    ['FROM scratch\nENV U=https://127.0.0.1\nADD ${U}/x /x', 'DOCKERFILE_INVALID', 3],
    ['FROM scratch\nADD git@127.0.0.1:x.git /x', 'DOCKERFILE_INVALID', 2],
    ['FROM desp/node:24\nRUN <<E\nFROM evil\nE\n', 'DOCKERFILE_INVALID', 2],
    [`FROM scratch\n${'ENV a=b\n'.repeat(3000)}`, 'DOCKERFILE_INVALID', 1],
    [`FROM scratch\n#${'x'.repeat(300_000)}`, 'DOCKERFILE_INVALID', 1],
  ])('refuses with the line: %.60s', (text, code, line) => {
    let error: unknown;
    try {
      read(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code, kind: 'user', where: { file: 'Dockerfile', line } });
    expect((error as EngineError).cure).toBeTruthy();
  });

  test('any text gives names that are known, or an error of ours', () => {
    const word = fc.constantFrom(
      'FROM ',
      'desp/node:24',
      'RUN ',
      '--mount=',
      'from=',
      'COPY ',
      '--from=',
      'ARG ',
      'A=',
      '$A',
      '${A:-',
      '}',
      '\n',
      '\\\n',
      '<<E',
      '"',
      "'",
      '[',
      ' AS ',
      'x',
      '#',
      'ONBUILD ',
      '\r\n',
      ',',
      'ENV ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            for (const name of read(`FROM scratch\n${text}`, { A: 'desp/static:1' }))
              expect(['desp/node:24', 'desp/static:1']).toContain(name);
          } catch (error) {
            expect(error).toBeInstanceOf(EngineError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('hostile size costs bounded time', () => {
    const before = performance.now();
    for (const part of ['x ', '\\\n', '<<A ', '--mount=a=b ', '$a', '"', '${a:-', ' ,']) {
      try {
        read(`FROM scratch\nRUN ${part.repeat(Math.floor(200_000 / part.length))}`);
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
      }
    }
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});

describe('build arguments', () => {
  test('values go through the environment, names that steer the builder as arguments', () => {
    expect(renderBuildArguments({ TEXT: "it's\n$(id)", PATH: '/x' })).toBe(
      `export TEXT='it'\\''s\n$(id)'\nset -- "$@" --build-arg TEXT\nset -- "$@" --build-arg 'PATH=/x'\n`,
    );
  });

  test.each([[{ 'A;id': 'x' }], [{ A: 'a\0b' }], [{ A: 'x'.repeat(200_000) }]])('refuses what cannot be passed', (args) => {
    expect(() => renderBuildArguments(args as unknown as Record<string, string>)).toThrow(EngineError);
  });
});
