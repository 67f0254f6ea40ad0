import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Loading } from '../ui/loading.tsx';
import { LoginPage } from './login-page.tsx';
import { finishLogin } from './oidc.ts';

/** An answer counts once, however often the page is drawn while it is taken. */
let finishing: Promise<string> | undefined;

/** Where the identity provider leads back to: takes its answer, and goes on to where one wanted to go. */
export function LoginCallbackPage() {
  const navigate = useNavigate();
  const [failure, setFailure] = useState<Error>();
  useEffect(() => {
    // The address as the provider wrote it: the router would read a number or JSON into it.
    finishing ??= finishLogin(new URLSearchParams(window.location.search)).finally(() => {
      finishing = undefined;
    });
    finishing.then(
      (to) => navigate({ href: to, replace: true }),
      (error: Error) => setFailure(error),
    );
  }, [navigate]);
  return failure ? <LoginPage failure={failure} /> : <Loading what="your login" lines={2} />;
}
