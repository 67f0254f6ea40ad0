import { Worker } from 'node:worker_threads';
import { DespError, type ErrorDetails } from '@desp/runtime';
import { PlatformError } from '../platform-error.ts';
import type { RenderedRelease, RenderRequest } from './render-release.ts';

/**
 * Renders a release in a thread of its own, which can be ended. A chart is a stranger's program: its step budget counts what
 * templates do, not what a function does with what it was given, so that one `toJson` of a doubled list would hold the server's
 * only thread for good. Rejected: rendering here with a smaller budget, which refuses honest charts and still does not bound time.
 */
export interface RenderBounds {
  /** Milliseconds from the moment the thread has the chart. */
  readonly renderMs: number;
  /** Milliseconds until the thread is there; it loads its modules. */
  readonly startMs: number;
  readonly heapMiB: number;
}

export const standardBounds: RenderBounds = { renderMs: 5_000, startMs: 60_000, heapMiB: 512 };

/** What the thread says: that it is there, and then how it went. */
export type RenderAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rendered'; readonly releases: RenderedRelease[] }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly details: Pick<ErrorDetails, 'kind' | 'retryable' | 'cure' | 'where'>;
    }
  | { readonly kind: 'broken'; readonly message: string };

/**
 * `renderRelease`, bounded in time and memory.
 *
 * @throws DespError what the renderer refused, with its own code; PlatformError INVALID for a chart that went past the bounds
 */
export async function renderBounded(request: RenderRequest, bounds: RenderBounds = standardBounds): Promise<RenderedRelease[]> {
  const worker = new Worker(new URL('./render-worker.ts', import.meta.url), {
    // A chart has no business with what the server was started with.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: bounds.heapMiB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  let timer: NodeJS.Timeout | undefined;
  const runaway = (what: string) =>
    new PlatformError('INVALID', `The charts in deployment/ were given up: they take more than ${what} to render.`, {
      kind: 'user',
      cure: 'Look for a template that calls itself, or for a range without end; desp check renders them on your own machine.',
    });
  try {
    return await new Promise<RenderedRelease[]>((resolve, reject) => {
      const endAfter = (ms: number, error: () => Error) => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(error()), ms);
      };
      endAfter(
        bounds.startMs,
        () => new PlatformError('UNAVAILABLE', 'The thread that renders charts did not start.', { kind: 'upstream', retryable: true }),
      );
      worker.on('message', (answer: RenderAnswer) => {
        switch (answer.kind) {
          case 'ready':
            worker.postMessage(request);
            return endAfter(bounds.renderMs, () => runaway(`${bounds.renderMs / 1000} s`));
          case 'rendered':
            return resolve(answer.releases);
          case 'refused':
            return reject(new DespError(answer.code, answer.message, answer.details));
          case 'broken':
            return reject(
              new PlatformError('INVALID', `The charts in deployment/ cannot be rendered: ${answer.message}`, {
                kind: 'user',
                cure: 'desp check renders them on your own machine.',
              }),
            );
        }
      });
      worker.once('error', (error) =>
        reject((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY' ? runaway(`${bounds.heapMiB} MiB`) : error),
      );
      worker.once('exit', (code) =>
        reject(
          new PlatformError('UNAVAILABLE', `The thread that renders charts ended with ${code}.`, { kind: 'upstream', retryable: true }),
        ),
      );
    });
  } finally {
    clearTimeout(timer);
    worker.removeAllListeners();
    await worker.terminate();
  }
}
