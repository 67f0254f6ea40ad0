import styles from './empty.module.css';

/** Nothing is here yet: says why, and what brings something here. */
export function Empty({ title, children }: { title: string; children?: React.ReactNode }) {
  return (
    <div className={styles['empty']}>
      <svg width="168" height="24" viewBox="0 0 168 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
        <path d="M20 12h128" strokeDasharray="3 5" strokeLinecap="round" />
        {[12, 48, 84, 120, 156].map((x) => (
          <circle key={x} cx={x} cy="12" r="6.5" fill="var(--surface)" />
        ))}
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
