import { parentPort } from 'node:worker_threads';
import { type RenderedDeployment, renderDeployment } from '@desp/controllers';
import { DespError, messageOf } from '@desp/runtime';
import type { RenderAnswer, RenderOrder } from './render-bounded.ts';
import { type RenderedRelease, renderRelease } from './render-release.ts';

/** The thread of `render-bounded.ts`: one order in, one answer out. */
const say = (answer: RenderAnswer) => parentPort?.postMessage(answer);

async function fill(order: RenderOrder): Promise<RenderedRelease[] | RenderedDeployment> {
  switch (order.kind) {
    case 'release':
      return renderRelease(order.request);
    case 'deployment':
      return renderDeployment(order.input);
  }
}

parentPort?.once('message', (order: RenderOrder) => {
  fill(order).then(
    (result) => say({ kind: 'rendered', result }),
    (error: unknown) => {
      if (!(error instanceof DespError)) return say({ kind: 'broken', message: messageOf(error) });
      const { code, message, ...details } = error.toJSON();
      say({ kind: 'refused', code, message, details });
    },
  );
});
say({ kind: 'ready' });
