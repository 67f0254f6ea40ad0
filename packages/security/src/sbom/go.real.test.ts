import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { GoBuildInfoScanner } from './go-build-info.ts';

const missing = spawnSync('go', ['version']).status !== 0;

test.skipIf(missing)(
  `reads what the Go compiler writes, stripped or not, in chunks of any size${missing ? ' (skipped: go is not installed)' : ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'desp-go-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'go.mod'), 'module example.org/hello\n\ngo 1.21\n');
    writeFileSync(join(folder, 'main.go'), 'package main\n\nfunc main() { println("hello") }\n');
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    const version = execFileSync('go', ['env', 'GOVERSION'], { cwd: folder, env }).toString().trim();
    for (const flags of ['', '-s -w']) {
      execFileSync('go', ['build', '-ldflags', flags, '-o', 'hello', '.'], { cwd: folder, env });
      const bytes = readFileSync(join(folder, 'hello'));
      for (const size of [977, 65_536]) {
        const scanner = new GoBuildInfoScanner();
        for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
        expect(scanner.result()).toEqual({
          kind: 'found',
          info: { goVersion: version, main: { path: 'example.org/hello', version: expect.any(String) }, modules: [] },
        });
      }
    }
  },
);
