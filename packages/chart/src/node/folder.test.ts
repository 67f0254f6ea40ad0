import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadChartFrom } from './folder.ts';

/** Links in charts' folders; the words are Helm's (3.22.0 and 4.3.1 alike). */

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A chart of some files, links among them. */
function folderWith(links: Readonly<Record<string, string>>): string {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'chart-links-')));
  folders.push(parent);
  const folder = join(parent, 'chart');
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('Chart.yaml', 'apiVersion: v2\nname: a\nversion: 1.0.0\n');
  write('templates/own.yaml', 'a: 1\n');
  write('kept/shared.yaml', 'b: 2\n');
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(folder, path));
  return folder;
}

test('links within the chart are followed, and told of', () => {
  const folder = folderWith({ 'templates/shared.yaml': '../kept/shared.yaml', more: './kept' });
  const told: string[] = [];
  const chart = loadChartFrom(folder, { onLink: (path, target) => told.push(`${path} -> ${target}`) });
  expect(chart.templates.map(({ name }) => name)).toEqual(['templates/own.yaml', 'templates/shared.yaml']);
  expect(chart.files.map(({ name }) => name)).toEqual(['kept/shared.yaml', 'more/shared.yaml']);
  expect(told).toEqual([`${folder}/more -> ${folder}/kept`, `${folder}/templates/shared.yaml -> ${folder}/kept/shared.yaml`]);
});

test('a chart that is named by a link is read from where the link leads', () => {
  const folder = folderWith({});
  const link = join(dirname(folder), 'named');
  symlinkSync('chart', link);
  const told: string[] = [];
  expect(loadChartFrom(link, { onLink: (...both) => told.push(...both) }).metadata.name).toBe('a');
  expect(told).toEqual([link, folder]);
});

test('a link to nowhere names the first part of the way that is missing', () => {
  const folder = folderWith({ crds: '../../config/crd/bases' });
  const missing = join(dirname(dirname(folder)), 'config');
  expect(() => loadChartFrom(folder)).toThrow(`error evaluating symlink ${folder}/crds: lstat ${missing}: no such file or directory`);
});

test('links that lead to each other end', () => {
  const folder = folderWith({ 'templates/x.yaml': 'y.yaml', 'templates/y.yaml': 'x.yaml' });
  expect(() => loadChartFrom(folder)).toThrow(`error evaluating symlink ${folder}/templates/x.yaml: EvalSymlinks: too many links`);
});

test('a link out of the chart is not followed', () => {
  const folder = folderWith({ 'templates/passwords.yaml': '/etc/passwd' });
  expect(() => loadChartFrom(folder)).toThrow('chart file "templates/passwords.yaml" is a link out of the chart');
});

test('rules of what to ignore are confined as other files are', () => {
  const started = performance.now();
  expect(() => loadChartFrom(folderWith({ '.helmignore': '/dev/zero' }))).toThrow('chart file ".helmignore" is a link out of the chart');
  expect(performance.now() - started).toBeLessThan(500);
  const named = folderWith({ '.helmignore': 'kept/rules' });
  writeFileSync(join(named, 'kept', 'rules'), 'kept/shared.yaml\n');
  expect(loadChartFrom(named).files.map(({ name }) => name)).toEqual(['.helmignore', 'kept/rules']);
  expect(() => loadChartFrom(folderWith({ '.helmignore': 'nowhere' }))).toThrow(/error evaluating symlink .*nowhere: no such file/);
});

test('rules of what to ignore that are a folder cannot be read', () => {
  const folder = folderWith({});
  mkdirSync(join(folder, '.helmignore'));
  for (const each of [folder, folderWith({ '.helmignore': 'kept' })])
    expect(() => loadChartFrom(each)).toThrow(`read ${each}/.helmignore: is a directory`);
});
