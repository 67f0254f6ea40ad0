import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ChartError } from '../errors.ts';
import { readValues } from '../loader/load.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { loadChartFrom } from '../node/folder.ts';
import { render } from '../render/render.ts';
import type { RenderTrace } from './api.ts';

/** Traces of real charts: `CHART_CORPUS` names a folder of `NAME/chart` and `NAME/cases/*.yaml`. */
const corpus = process.env['CHART_CORPUS'] ?? '';
const charts = corpus !== '' && existsSync(corpus) ? readdirSync(corpus).sort() : [];

const release = { name: 'demo', namespace: 'default' };

describe.skipIf(charts.length === 0)(
  `traces of real charts${charts.length === 0 ? ' (skipped: CHART_CORPUS names no folder of charts)' : ''}`,
  () => {
    test.each(charts.length === 0 ? ['none'] : charts)('%s: every line, exactly', (name) => {
      const chart = loadChartFrom(join(corpus, name, 'chart'));
      const folder = join(corpus, name, 'cases');
      const files = existsSync(folder) ? readdirSync(folder) : [];
      let parts = 0;
      let vague = 0;
      const lost: string[] = [];
      const templates = new Map<string, string[]>();
      const templateLine = (trace: RenderTrace | undefined, path: string, line: number): string => {
        const lines = templates.get(path) ?? (trace?.template(path) ?? '').split('\n');
        templates.set(path, lines);
        return lines[line - 1] ?? '';
      };
      for (const file of [undefined, ...files]) {
        const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
        const sources = file === undefined ? [] : [{ kind: 'file', name: file, text } as const];
        try {
          const result = render(chart, {
            release,
            values: readValues(text, true),
            sources,
            trace: true,
            kubeVersion: '1.34.1',
            crypto: nodeCrypto,
          });
          for (const document of [...result.manifests, ...result.hooks]) {
            const lines = result.trace?.lines(document) ?? [];
            const joined = lines.map((line) => line.parts.map((part) => part.text).join('')).join('\n');
            if (joined !== document.content) lost.push(`${document.source} of ${file}`);
            for (const part of lines.flatMap((line) => line.parts)) {
              parts++;
              if (!part.exact) vague++;
              if (part.kind !== 'text' || !part.exact || part.stack.some((call) => call.text)) continue;
              const source = templateLine(result.trace, part.place.file, part.place.line ?? 0);
              if (!source.includes(part.text)) lost.push(`${part.place.file}:${part.place.line} of ${file}`);
            }
          }
        } catch (error) {
          // Some cases fail on purpose; what fails has no lines.
          if (!(error instanceof ChartError)) throw error;
        }
      }
      expect(lost).toEqual([]);
      // Checksums over whole files, and texts that were read as YAML and written again, may be vague.
      expect(vague).toBeLessThanOrEqual(Math.ceil(parts / 20));
    });

    test.skipIf(!charts.includes('argo-cd'))('tracing costs at most twice the time (argo-cd, kube-prometheus-stack)', () => {
      for (const name of ['argo-cd', 'kube-prometheus-stack']) {
        const chart = loadChartFrom(join(corpus, name, 'chart'));
        const times: Record<'off' | 'on', number[]> = { off: [], on: [] };
        for (let round = 0; round < 15; round++) {
          for (const trace of [false, true]) {
            const before = process.cpuUsage();
            render(chart, { release, trace, kubeVersion: '1.34.1', crypto: nodeCrypto });
            const { user, system } = process.cpuUsage(before);
            if (round > 3) times[trace ? 'on' : 'off'].push(user + system);
          }
        }
        const median = (all: number[]): number => all.sort((a, b) => a - b)[all.length >> 1] as number;
        expect(median(times.on) / median(times.off), name).toBeLessThan(2);
      }
    });
  },
);
