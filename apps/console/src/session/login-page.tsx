import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { queries } from '../api/queries.ts';
import { Logo } from '../shell/logo.tsx';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';
import { localPath } from './local-path.ts';
import styles from './login-page.module.css';
import { beginLogin } from './oidc.ts';
import { whyEnded } from './session.ts';

/** Leads to the identity provider: passwords are typed there, never here. `failure`: why a login that was begun came to nothing. */
export function LoginPage({ failure }: { failure?: Error | undefined }) {
  const { to } = useSearch({ strict: false }) as { to?: string };
  const status = useQuery(queries.status()).data;
  const login = useMutation({ mutationFn: () => beginLogin(localPath(to) ?? '/') });
  const reason = whyEnded();
  const problem = login.error ?? failure;
  return (
    <main className={styles['page']} id="content">
      <div className={styles['card']}>
        <Logo />
        <PageHeading title="Sign in" />
        {reason === 'expired' && !problem && <p role="status">Your login is over. Sign in again to go on where you were.</p>}
        {reason === 'signed out' && !problem && <p role="status">You are signed out.</p>}
        {problem && <Problem error={problem} title="Not signed in" />}
        <Button size="md" fullWidth loading={login.isPending || login.isSuccess} onClick={() => login.mutate()}>
          Sign in
        </Button>
        {status?.rehearsal && (
          <p className={styles['hint']}>
            This is a rehearsal. Its people are provider, ivv, security, operator and executive; their first passwords lie on the machine
            that runs it, in <code>{status.data}/credentials</code>
          </p>
        )}
      </div>
    </main>
  );
}
