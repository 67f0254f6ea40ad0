import type { Liveness } from '../api/follow-delivery.ts';
import styles from './live-mark.module.css';

const words: Readonly<Record<Liveness, string>> = {
  connecting: 'connecting',
  live: 'live',
  reconnecting: 'reconnecting',
  ended: 'not live',
};

/** Whether the page shows what is, or what was. */
export function LiveMark({ liveness }: { liveness: Liveness }) {
  return (
    <span className={styles['live']} data-liveness={liveness} role="status">
      <span className={styles['dot']} aria-hidden="true" />
      {words[liveness]}
    </span>
  );
}
