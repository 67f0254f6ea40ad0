import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { queryClient } from './api/query-client.ts';
import { localPath } from './session/local-path.ts';
import { currentSession, onSessionChange } from './session/session.ts';
import { NotFoundPage } from './shell/not-found-page.tsx';
import { PageFailure } from './shell/page-failure.tsx';
import { Shell } from './shell/shell.tsx';

/** All addresses of the console. What a page shows beside its default is in the address, so that it can be sent to a colleague. */
const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: PageFailure });

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length > 0 && value.length <= 300 ? value : undefined;
const defined = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  /** Where to go after the login: a path of this console, never another site. */
  validateSearch: (search): { to?: string } => ({ to: localPath(search['to']) }) as { to?: string },
  component: lazyRouteComponent(() => import('./session/login-page.tsx'), 'LoginPage'),
});

/** Where the identity provider leads back to. */
const loginCallback = createRoute({
  getParentRoute: () => root,
  path: '/login/callback',
  component: lazyRouteComponent(() => import('./session/login-callback-page.tsx'), 'LoginCallbackPage'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: ({ location }) => {
    if (!currentSession()) throw redirect({ to: '/login', search: location.href === '/' ? {} : { to: location.href } });
  },
  component: Shell,
});

const deliveries = createRoute({
  getParentRoute: () => inside,
  path: '/',
  component: lazyRouteComponent(() => import('./deliveries/deliveries-page.tsx'), 'DeliveriesPage'),
});

const delivery = createRoute({
  getParentRoute: () => inside,
  path: '/deliveries/$id',
  /** `stop`: the stop whose details are open; without it, the one where the delivery stands. `log`: the job whose log is open. */
  validateSearch: (search): { stop?: string; log?: string } => defined({ stop: text(search['stop']), log: text(search['log']) }),
  component: lazyRouteComponent(() => import('./deliveries/delivery-page.tsx'), 'DeliveryPage'),
});

const services = createRoute({
  getParentRoute: () => inside,
  path: '/services',
  component: lazyRouteComponent(() => import('./services/services-page.tsx'), 'ServicesPage'),
});

const service = createRoute({
  getParentRoute: () => inside,
  path: '/services/$name',
  component: lazyRouteComponent(() => import('./services/service-page.tsx'), 'ServicePage'),
});

export const router = createRouter({
  routeTree: root.addChildren([login, loginCallback, inside.addChildren([deliveries, delivery, services, service])]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

// Whoever logs out, or is logged out, sees nothing more of what was loaded before.
onSessionChange(() => {
  if (!currentSession()) queryClient.clear();
  void router.invalidate();
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
