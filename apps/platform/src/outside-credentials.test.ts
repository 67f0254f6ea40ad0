import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@desp/model';
import type { DataFolder } from '@desp/storage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rehearsalConfig } from './config.ts';
import { outsideCredentials } from './outside-credentials.ts';

let folder: string;
let data: DataFolder;
let config: Config;
const secretIn = (name: string, text: string, mode = 0o600): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'desp-credentials-'));
  data = { path: folder, file: (...parts) => join(folder, ...parts), release: () => {} };
  config = rehearsalConfig(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('what the platform shows to the parts', () => {
  test('its own token where the part is embedded', () => {
    const credentials = outsideCredentials(config, data);
    const own = readFileSync(join(folder, 'keys/platform.token'), 'utf8').trim();
    expect(credentials.git).toBe(own);
    expect(credentials.registry(config.quarantine)).toEqual({ username: '$platform', password: own });
    expect(credentials.vault(config.environments[0] as Config['environments'][number])).not.toBe(own);
  });

  test("what the file holds where it is somebody else's", () => {
    const git = { ...config.git, tokenFile: secretIn('gitlab', 'glpat-of-the-platform\n') };
    const quarantine = { ...config.quarantine, account: { username: 'robot$desp', passwordFile: secretIn('harbor', 'secret') } };
    const credentials = outsideCredentials({ ...config, git, quarantine }, data);
    expect(credentials.git).toBe('glpat-of-the-platform');
    expect(credentials.registry(quarantine)).toEqual({ username: 'robot$desp', password: 'secret' });
  });

  test.each([
    ['that others may read', 'secret', 0o644, /others may read it/],
    ['that is empty', '\n', 0o600, /no secret of one line/],
    ['with two lines', 'a\nb\n', 0o600, /no secret of one line/],
  ])('a file %s is refused, and its content told to nobody', (_what, text, mode, words) => {
    const tokenFile = secretIn('gitlab', text, mode);
    const attempt = () => outsideCredentials({ ...config, git: { ...config.git, tokenFile } }, data);
    expect(attempt).toThrow(words);
    expect(attempt).toThrow(tokenFile);
    expect(attempt).not.toThrow(/secret$/);
  });

  test('a file that is missing is named', () => {
    expect(() => outsideCredentials({ ...config, git: { ...config.git, tokenFile: join(folder, 'absent') } }, data)).toThrow(
      /absent.*git\.tokenFile/,
    );
  });
});
