import type { Delivery } from '@desp/model';
import { formatTable } from '../../table.ts';

const marks = { waiting: '·', running: '…', passed: '✓', failed: '✗', blocked: '!', skipped: '-', canceled: '-' } as const;

export const isOver = (delivery: Delivery): boolean => delivery.state !== 'running';

export function stopLine(stop: Delivery['stops'][number]): string {
  const next = stop.next ? `  [${stop.next.who}: ${stop.next.what}]` : '';
  return `${marks[stop.state]} ${stop.name.padEnd(9)} ${stop.state.padEnd(8)} ${stop.reason}${next}`;
}

export function describeDelivery(delivery: Delivery): string {
  const jobs = delivery.jobs.length
    ? `\n${formatTable(
        ['JOB', 'STAGE', 'STATE', 'REASON'],
        delivery.jobs.map((job) => [job.name, job.stage, job.state, job.reason]),
      )}`
    : '';
  return `${delivery.id}  ${delivery.service}  ${delivery.commit.slice(0, 8)}  ${delivery.ref}  ${delivery.state}${delivery.version ? `  ${delivery.version}` : ''}\n${delivery.title}\n\n${delivery.stops.map(stopLine).join('\n')}\n${jobs}`;
}
