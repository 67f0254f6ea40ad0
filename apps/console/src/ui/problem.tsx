import { formatPlace } from '@desp/runtime/errors';
import { Button } from '@mantine/core';
import { ApiError } from '../api/api-error.ts';
import styles from './problem.module.css';
import { lookOf, StateIcon } from './state-icon.tsx';

/** A failure as the platform tells it: what, where, and the cure. */
export function Problem({ error, title, onRetry }: { error: Error; title?: string; onRetry?: (() => void) | undefined }) {
  const api = error instanceof ApiError ? error : undefined;
  const kind = api?.status === 403 ? 'This is not yours to do' : title;
  return (
    <div className={styles['problem']} role="alert">
      <span className={styles['icon']}>
        <StateIcon look={lookOf('failed')} />
      </span>
      <div className={styles['text']}>
        {kind && <p className={styles['title']}>{kind}</p>}
        <p>{error.message}</p>
        {api?.where && (
          <p>
            <code>{formatPlace(api.where)}</code>
          </p>
        )}
        {api?.cure && <p className={styles['cure']}>{api.cure}</p>}
        {onRetry && (
          <Button variant="default" size="xs" mt={10} onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
