import { parentPort } from 'node:worker_threads';
import { DespError, messageOf } from '@desp/runtime';
import type { RenderAnswer } from './render-bounded.ts';
import { type RenderRequest, renderRelease } from './render-release.ts';

/** The thread of `renderBounded`: one chart set in, one answer out. */
const say = (answer: RenderAnswer) => parentPort?.postMessage(answer);

parentPort?.once('message', (request: RenderRequest) => {
  renderRelease(request).then(
    (releases) => say({ kind: 'rendered', releases }),
    (error: unknown) => {
      if (!(error instanceof DespError)) return say({ kind: 'broken', message: messageOf(error) });
      const { code, message, ...details } = error.toJSON();
      say({ kind: 'refused', code, message, details });
    },
  );
});
say({ kind: 'ready' });
