import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import type { Line, Row } from './kill-loop-child.ts';

/**
 * `kill -9` at random instants, over the embedded database and the durable jobs: no acknowledged write is ever gone, every
 * acknowledged job has its effect exactly once, and nothing is half done. `KILL_SEED=N` repeats a run.
 */
const rounds = 20;
const child = join(import.meta.dirname, 'kill-loop-child.ts');
const folder = mkdtempSync(join(tmpdir(), 'desp-kill-loop-'));
let running: ChildProcess | undefined;
afterEach(() => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Numbers from 0 to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Said {
  readonly lines: Line[];
  readonly errors: string;
}

/** Everything that a child said until it ended; `hear` is called with each line as it comes. */
async function play(run: number, mode: 'work' | 'finish', hear: (process: ChildProcess, lines: readonly Line[]) => void): Promise<Said> {
  const started = spawn(process.execPath, [child, folder, String(run), mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  running = started;
  const lines: Line[] = [];
  let errors = '';
  started.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  createInterface({ input: started.stdout }).on('line', (text) => {
    // The last one may be cut by the kill: then nothing was acknowledged.
    if (!text.endsWith('}')) return;
    lines.push(JSON.parse(text) as Line);
    hear(started, lines);
  });
  hear(started, lines);
  await once(started, 'close');
  return { lines, errors };
}

test(`${rounds} times killed in the middle of writes and jobs`, { timeout: 120_000 }, async () => {
  const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const next = random(seed);
  const accepted = new Set<number>();
  const done = new Set<number>();
  const story: string[] = [`KILL_SEED=${seed}`];

  const check = (found: readonly Row[]) => {
    const known = new Map(found.map((row) => [row.id, row]));
    const lost = [...accepted].filter((id) => !known.has(id));
    const undone = [...done].filter((id) => known.get(id)?.effects !== 1);
    const half = found.filter(({ delivery, jobs, effects }) => {
      const whole = delivery === 'passed' ? jobs.join() === 'success' && effects === 1 : jobs.join() === 'pending' && effects === 0;
      return !whole;
    });
    expect({ lost, undone, half }, story.join('\n')).toEqual({ lost: [], undone: [], half: [] });
  };
  const hear = ({ lines, errors }: { lines: readonly Line[]; errors: string }) => {
    for (const line of lines) {
      if ('broken' in line) throw new Error(`${line.broken}\n${errors}\n${story.join('\n')}`);
      // What was found is judged by what had been acknowledged before.
      if ('found' in line) check(line.found);
      if ('accepted' in line) accepted.add(line.accepted);
      if ('done' in line) done.add(line.done);
    }
  };

  for (let round = 0; round < rounds; round++) {
    // One in four while it starts, its very first start among them; the others after some acknowledgements and a moment more.
    const early = round % 4 === 0;
    const count = early ? 0 : 2 + Math.floor(next() * 20);
    const moment = Math.round(next() * (early ? 800 : 20));
    let armed = false;
    const before = accepted.size;
    hear(
      await play(round, 'work', (process, lines) => {
        if (armed || lines.length < count) return;
        armed = true;
        setTimeout(() => process.kill('SIGKILL'), moment);
      }),
    );
    story.push(`${round}: killed ${moment} ms after ${count} lines; ${accepted.size - before} more accepted, ${done.size} done in all`);
  }
  const last = await play(rounds, 'finish', () => {});
  hear(last);
  const finished = last.lines.find((line) => 'finished' in line);
  if (!finished) throw new Error(`The last run did not finish.\n${last.errors}\n${story.join('\n')}`);
  check(finished.finished);
  expect(finished.open, story.join('\n')).toBe(0);
  // A test that kills before anything was accepted proves nothing.
  expect(accepted.size, story.join('\n')).toBeGreaterThan(rounds);
  expect(done.size, story.join('\n')).toBeGreaterThan(0);
});
