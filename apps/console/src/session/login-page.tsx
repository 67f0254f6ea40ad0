import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { call } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Logo } from '../shell/logo.tsx';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';
import { localPath } from './local-path.ts';
import styles from './login-page.module.css';
import { beginSession, whyEnded } from './session.ts';

interface Credentials {
  readonly person: string;
  readonly password: string;
}

export function LoginPage() {
  const { to } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  const status = useQuery(queries.status()).data;
  const login = useMutation({
    mutationFn: (body: Credentials) => call<{ token: string }>('/api/login', { method: 'POST', body, session: false }),
    onSuccess: async ({ token }) => {
      beginSession(token);
      await navigate({ href: localPath(to) ?? '/', replace: true });
    },
  });
  const reason = whyEnded();
  return (
    <main className={styles['page']} id="content">
      <div className={styles['card']}>
        <Logo />
        <PageHeading title="Sign in" />
        {reason === 'expired' && !login.error && (
          <p role="status">Your login is over; a login lasts one day. Sign in again to go on where you were.</p>
        )}
        {reason === 'signed out' && !login.error && <p role="status">You are signed out.</p>}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            login.mutate({ person: String(form.get('person')).trim(), password: String(form.get('password')) });
          }}
        >
          <TextInput
            name="person"
            label="Name"
            autoComplete="username"
            required
            withAsterisk={false}
            autoCapitalize="none"
            spellCheck={false}
            size="md"
          />
          <PasswordInput
            name="password"
            label="Password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            size="md"
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
          />
          {login.error && <Problem error={login.error} title="Not signed in" />}
          <Button type="submit" size="md" fullWidth loading={login.isPending}>
            Sign in
          </Button>
        </form>
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
