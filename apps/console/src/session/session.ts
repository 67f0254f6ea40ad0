import { useSyncExternalStore } from 'react';

/**
 * Who is logged in, in this tab: the one place that knows how. The token lives as long as the tab does and is sent in a header,
 * never in an address. An OIDC login replaces `session.ts` and `login-page.tsx`; nothing else knows of passwords or tokens.
 */
export interface Session {
  readonly token: string;
}

export type EndReason = 'signed out' | 'expired';

const storageKey = 'desp.session';
const listeners = new Set<() => void>();
let session = read();
let ended: EndReason | undefined;

function read(): Session | undefined {
  try {
    const stored = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as { token?: unknown } | null;
    return typeof stored?.token === 'string' ? { token: stored.token } : undefined;
  } catch {
    return undefined;
  }
}

function change(next: Session | undefined, reason: EndReason | undefined): void {
  session = next;
  ended = reason;
  if (next) sessionStorage.setItem(storageKey, JSON.stringify(next));
  else sessionStorage.removeItem(storageKey);
  for (const listener of listeners) listener();
}

export const beginSession = (token: string): void => change({ token }, undefined);
export const endSession = (reason: EndReason): void => {
  if (session) change(undefined, reason);
};
export const sessionToken = (): string | undefined => session?.token;
/** Why the last session ended, for the login page to say. */
export const whyEnded = (): EndReason | undefined => ended;

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session | undefined {
  return useSyncExternalStore(onSessionChange, () => session);
}
