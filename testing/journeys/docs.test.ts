import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandList } from '../../apps/cli/src/commands/index.ts';
import { root } from './stage.ts';

/**
 * The documentation is held to the product: what it marks as runnable runs, what it names exists, what it links to is there.
 *
 * A block of shell whose fence says `sh test` runs from its first line to its last in a copy of `examples/`, without a server and
 * without network, and ends with 0; `sh test exit=1` says another code. Every line but the last must succeed.
 */
interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly info: readonly string[];
  readonly text: string;
}

const pages = ['README.md', 'CONTRIBUTING.md', ...markdownBelow('docs')];

function markdownBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string[]; lines: string[] } | undefined;
  for (const [index, line] of textOf(file).split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (!fence) open?.lines.push(line);
    else if (!open) open = { line: index + 1, info: (fence[1] ?? '').trim().split(/\s+/), lines: [] };
    else {
      const [language = '', ...info] = open.info;
      blocks.push({ file, line: open.line, language, info, text: open.lines.join('\n') });
      open = undefined;
    }
  }
  if (open) throw new Error(`${file}:${open.line}: the block is not closed.`);
  return blocks;
}

const blocks = pages.flatMap(blocksOf);

describe('the guide, typed', () => {
  const runnable = blocks.filter(({ language, info }) => language === 'sh' && info.includes('test'));
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'desp-docs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('it has blocks to run', () => expect(runnable.length).toBeGreaterThan(3));

  for (const [index, block] of runnable.entries()) {
    test(`${block.file}:${block.line} ${block.text.split('\n').at(-1)}`, () => {
      const work = join(folder, String(index));
      cpSync(join(root, 'examples'), work, { recursive: true });
      const wanted = Number(block.info.find((word) => word.startsWith('exit='))?.slice('exit='.length) ?? 0);
      const lines = block.text.split('\n').filter(Boolean);
      const script = ['set -e', ...lines].join('\n');
      const result = spawnSync('sh', ['-c', script], {
        cwd: work,
        encoding: 'utf8',
        timeout: 60_000,
        env: { PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`, HOME: work, DESP_FROM_SOURCE: '1' },
      });
      expect(result.status, `${result.stdout.slice(-1500)}${result.stderr.slice(-1500)}`).toBe(wanted);
    });
  }
});

describe('links', () => {
  for (const file of pages) {
    test(file, () => {
      const missing: string[] = [];
      for (const [, target = ''] of withoutBlocks(file).matchAll(/!?\[[^\]]*\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const to = path === '' ? file : relative(root, resolve(root, dirname(file), path));
        if (!existsSync(join(root, to))) missing.push(target);
        else if (anchor && to.endsWith('.md') && !anchorsOf(to).has(anchor)) missing.push(target);
      }
      expect(missing).toEqual([]);
    });
  }
});

const withoutBlocks = (file: string): string => textOf(file).replace(/^```[\s\S]*?^```$/gm, '');

/** Anchors as GitHub makes them from headings. */
const anchorsOf = (file: string): Set<string> =>
  new Set(
    [...withoutBlocks(file).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

describe('commands', () => {
  const names = commandList.map(({ name }) => name);

  /** `desp WORD WORD` at the beginning of a line of shell, in a pipe, or between backticks. */
  function mentions(file: string): string[] {
    const shell = blocksOf(file)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => [...text.replace(/\s#.*$/gm, '').matchAll(/(?:^|[|&;]\s*|\$ )desp ([^\n|&;]*)/gm)]);
    const inline = [...withoutBlocks(file).matchAll(/`desp ([^`]+)`/g)];
    return [...shell, ...inline].map(([, rest = '']) => rest.trim());
  }

  for (const file of pages) {
    const used = mentions(file);
    if (used.length === 0) continue;
    test(`${file} names only commands that exist`, () => {
      const unknown = used.filter((rest) => {
        if (/^(--help|--version|help|COMMAND)\b/.test(rest)) return false;
        const [first = '', second = ''] = rest.split(/\s+/);
        // A noun alone speaks of all its verbs.
        return (
          !names.includes(first) &&
          !names.includes(`${first} ${second}`) &&
          !(second === '' && names.some((name) => name.startsWith(`${first} `)))
        );
      });
      expect(unknown).toEqual([]);
    });
  }

  test('every command that is for people is named in the guide or in operating', () => {
    const told = pages
      .filter((file) => /^docs[/](guide|operate)[/]/.test(file))
      .map(textOf)
      .join('\n');
    const silent = commandList.filter(({ name, hidden }) => !hidden && !told.includes(`desp ${name}`)).map(({ name }) => name);
    expect(silent).toEqual([]);
  });
});
