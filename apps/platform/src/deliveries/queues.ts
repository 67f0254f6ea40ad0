import type { QueueOptions } from '@desp/storage';

/** Every durable queue of the control plane: its name, how much of it at once, and what its key is. */
export const queues = {
  /** Key: a delivery's number. Looks at the delivery as a whole and starts what may start. */
  advance: { name: 'delivery-advance', options: { concurrency: 2, retries: 20, expireSeconds: 120 } },
  /** Key: `NUMBER/JOB`. Runs one pipeline job to its end. */
  run: { name: 'delivery-run', options: { concurrency: 2, retries: 5, expireSeconds: 7_200 } },
  /** Key: `NUMBER/ENVIRONMENT`. Writes the release and hands it to Fleet. */
  release: { name: 'delivery-release', options: { concurrency: 1, retries: 20, expireSeconds: 600 } },
  /** Key: a deployment's number. Follows a deployment until it is ready or has failed. */
  follow: { name: 'deployment-follow', options: { concurrency: 4, retries: 20, expireSeconds: 120 } },
  /** Key: a service's name. Finishes what its creation left open. */
  service: { name: 'service-prepare', options: { concurrency: 1, retries: 20, expireSeconds: 120 } },
} as const satisfies Record<string, { name: string; options: QueueOptions }>;
