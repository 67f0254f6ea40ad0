import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { queries } from '../api/queries.ts';
import { signOut } from '../session/oidc.ts';
import { ColorSchemeSwitch } from './color-scheme-switch.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { Logo } from './logo.tsx';
import styles from './shell.module.css';

/** What stands around every page: where one can go, who one is. */
export function Shell() {
  const me = useQuery(queries.me()).data;
  const inDelivery = useLocation({ select: ({ pathname }) => pathname.startsWith('/deliveries/') });
  return (
    <>
      <a href="#content" className={styles['skip']}>
        Skip to the content
      </a>
      <header className={styles['header']}>
        <div className={styles['bar']}>
          <Link to="/" className={styles['brand']} aria-label="DESP, to the deliveries">
            <Logo />
            <span>DESP</span>
          </Link>
          <nav aria-label="Main" className={styles['nav']}>
            <Link to="/" activeOptions={{ exact: true }} {...(inDelivery ? { 'aria-current': 'true' } : {})}>
              Deliveries
            </Link>
            <Link to="/services">Services</Link>
          </nav>
          <div className={styles['me']}>
            {me && (
              <p>
                {me.name}
                <span className={styles['role']}>
                  {[me.company, ...me.roles.filter((role) => role !== me.name)].filter(Boolean).join(' · ')}
                </span>
              </p>
            )}
            <HelpDialog />
            <ColorSchemeSwitch />
            <button type="button" className={styles['plain']} onClick={signOut}>
              Sign out
            </button>
          </div>
        </div>
      </header>
      <main className="page" id="content" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
