import type { Stop } from '@desp/model';
import styles from './next-note.module.css';

/** Who acts next, and what to do. */
export function NextNote({ next, children }: { next: NonNullable<Stop['next']>; children?: React.ReactNode }) {
  return (
    <div className={styles['note']}>
      <svg
        width="18"
        height="18"
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        <path d="M4 10h11m-4.5-4.5L15 10l-4.5 4.5" />
      </svg>
      <p>
        <strong>{next.who} acts next.</strong> {next.what} {children}
      </p>
    </div>
  );
}
