import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allGone, withBench } from './bench.ts';
import { areas } from './cases/index.ts';
import { compareResults, type Row, recordResults, rowOf } from './results.ts';
import { openTarget, type Target, whyNotAtAll } from './target.ts';

/**
 * The acceptance suite of the cluster: the same rows for the embedded one and for any that `KUBECONFIG` names
 * (docs/operate/acceptance.md). What passes on the embedded one is the support table (docs/reference/cluster.md).
 */
const because = whyNotAtAll();
const outside = process.env['KUBECONFIG'] !== undefined && process.env['KUBECONFIG'] !== '';

describe.skipIf(because !== undefined)(
  `acceptance of ${outside ? 'the cluster of KUBECONFIG' : 'the embedded cluster'}${because === undefined ? '' : ` (skipped: ${because})`}`,
  () => {
    let target: Target;
    const passed: Row[] = [];
    const skipped: Row[] = [];

    beforeAll(async () => {
      target = await openTarget();
    });
    afterAll(async () => {
      if (target === undefined) return;
      try {
        await allGone(target);
      } finally {
        await target.stop();
      }
    });

    describe.each(areas)('$title', { concurrent: true }, ({ title, cases }) => {
      test.for(cases)('$name', async (one, context) => {
        const row = rowOf(title, one);
        const lacking = (one.needs ?? []).filter((need) => target.lacks.has(need));
        if (lacking.length > 0) {
          skipped.push(row);
          context.skip(`${target.description}: ${lacking.map((need) => target.lacks.get(need)).join('; ')}`);
        }
        await withBench(target, one.run);
        passed.push(row);
      });
    });

    test.skipIf(outside)('what passed is what the support table says', async () => {
      if (process.env['DESP_ACCEPTANCE_RECORD'] === '1') await recordResults(areas, passed, skipped);
      expect(await compareResults(areas, passed, skipped)).toBeUndefined();
    });
  },
);
