import { Worker } from 'node:worker_threads';
import type { RenderedDeployment, RenderInput } from '@desp/controllers';
import { DespError, type ErrorDetails, installation } from '@desp/runtime';
import { PlatformError } from '../platform-error.ts';
import type { RenderedRelease, RenderRequest } from './render-release.ts';

/**
 * Renders in a thread of its own, which can be ended. A chart is a stranger's program: its step budget counts what templates do,
 * not what a function does with what it was given, so that one `toJson` of a doubled list would hold the server's only thread for
 * good. Both who render use it: the release, with what is installed in the environment then, and the Fleet agent.
 * Rejected: rendering here with a smaller budget, which refuses honest charts and still does not bound time.
 */
export interface RenderBounds {
  /** Milliseconds from the moment the thread has the chart. */
  readonly renderMs: number;
  /** Milliseconds until the thread is there; it loads its modules. */
  readonly startMs: number;
  readonly heapMiB: number;
}

export const standardBounds: RenderBounds = { renderMs: 5_000, startMs: 60_000, heapMiB: 512 };

/** What the thread is asked for. */
export type RenderOrder =
  | { readonly kind: 'release'; readonly request: RenderRequest }
  | { readonly kind: 'deployment'; readonly input: RenderInput };

/** What the thread says: that it is there, and then how it went. */
export type RenderAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rendered'; readonly result: RenderedRelease[] | RenderedDeployment }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly details: Pick<ErrorDetails, 'kind' | 'retryable' | 'cure' | 'where'>;
    }
  | { readonly kind: 'broken'; readonly message: string };

/** What the messages about a chart name, and what its author can do. */
interface Subject {
  readonly what: string;
  readonly cure: string;
}

/**
 * `renderRelease`, bounded in time and memory.
 *
 * @throws DespError what the renderer refused, with its own code; PlatformError INVALID for a chart that went past the bounds
 */
export function renderReleaseBounded(request: RenderRequest, bounds: RenderBounds = standardBounds): Promise<RenderedRelease[]> {
  const subject = { what: 'Rendering the charts in deployment/', cure: 'desp check renders them on your own machine.' };
  return inTurn(() => renderInThread<RenderedRelease[]>({ kind: 'release', request }, subject, bounds));
}

/**
 * `renderDeployment`, bounded in time and memory: what the platform's Fleet agents render with.
 *
 * @throws as `renderReleaseBounded`
 */
export function renderDeploymentBounded(input: RenderInput, bounds: RenderBounds = standardBounds): Promise<RenderedDeployment> {
  const operation = input.isUpgrade ? 'an upgrade' : 'an installation';
  const flag = input.isUpgrade ? ' --is-upgrade' : '';
  const subject = {
    what: `Rendering the chart of ${input.bundle} for ${operation}`,
    cure: `desp chart template${flag} renders it on your own machine.`,
  };
  return inTurn(() => renderInThread<RenderedDeployment>({ kind: 'deployment', input }, subject, bounds));
}

/** So many threads at once: their heaps add up, and every environment's agent renders. */
const threads = 2;
const waiting: (() => void)[] = [];
let busy = 0;

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (busy < threads) busy++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    // Who waits takes over the place, so that nobody slips in between.
    const next = waiting.shift();
    if (next) next();
    else busy--;
  }
}

async function renderInThread<Result extends RenderedRelease[] | RenderedDeployment>(
  order: RenderOrder,
  { what, cure }: Subject,
  bounds: RenderBounds,
): Promise<Result> {
  const worker = new Worker(installation().renderThread, {
    // A chart has no business with what the server was started with.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: bounds.heapMiB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  let timer: NodeJS.Timeout | undefined;
  const runaway = (limit: string) =>
    new PlatformError('INVALID', `${what} was given up: it takes more than ${limit}.`, {
      kind: 'user',
      cure: `Look for a template that calls itself, or for a range without end; ${cure}`,
    });
  try {
    return await new Promise<Result>((resolve, reject) => {
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
            worker.postMessage(order);
            return endAfter(bounds.renderMs, () => runaway(`${bounds.renderMs / 1000} s`));
          case 'rendered':
            // The thread answers with what was ordered.
            return resolve(answer.result as Result);
          case 'refused':
            return reject(new DespError(answer.code, answer.message, answer.details));
          case 'broken':
            return reject(new PlatformError('INVALID', `${what} failed: ${answer.message}`, { kind: 'user', cure }));
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
