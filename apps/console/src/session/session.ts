import { useSyncExternalStore } from 'react';

/**
 * Who is logged in, in this tab: the one place that knows how. Tokens live as long as the tab does and are sent in a header,
 * never in an address. `oidc.ts` gets and renews them; nothing else knows of tokens.
 */
export interface Session {
  readonly token: string;
  /** Milliseconds since 1970; the token is renewed before. */
  readonly expiresAt: number;
  readonly refreshToken?: string;
  /** Of the provider: where tokens are renewed, and where people log out. */
  readonly tokenEndpoint: string;
  readonly endSessionEndpoint?: string;
  readonly clientId: string;
  readonly idToken: string;
}

export type EndReason = 'signed out' | 'expired';

const storageKey = 'desp.session';
const reasonKey = 'desp.session.ended';
const listeners = new Set<() => void>();
let session = read();

function read(): Session | undefined {
  try {
    const stored = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Partial<Session> | null;
    return typeof stored?.token === 'string' && typeof stored.tokenEndpoint === 'string' ? (stored as Session) : undefined;
  } catch {
    return undefined;
  }
}

function change(next: Session | undefined, reason: EndReason | undefined): void {
  session = next;
  if (next) sessionStorage.setItem(storageKey, JSON.stringify(next));
  else sessionStorage.removeItem(storageKey);
  if (reason) sessionStorage.setItem(reasonKey, reason);
  else sessionStorage.removeItem(reasonKey);
  for (const listener of listeners) listener();
}

export const beginSession = (next: Session): void => change(next, undefined);
/** The same login with newer tokens; nobody is told, for nothing that people see has changed. */
export const renewSession = (next: Session): void => {
  session = next;
  sessionStorage.setItem(storageKey, JSON.stringify(next));
};
export const endSession = (reason: EndReason): void => {
  if (session) change(undefined, reason);
};
export const currentSession = (): Session | undefined => session;
/** Why the last session ended, for the login page to say. */
export const whyEnded = (): EndReason | undefined => {
  const reason = sessionStorage.getItem(reasonKey);
  return reason === 'signed out' || reason === 'expired' ? reason : undefined;
};

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session | undefined {
  return useSyncExternalStore(onSessionChange, () => session);
}
