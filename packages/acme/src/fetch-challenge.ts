import { request } from 'node:http';
import type { FetchChallenge } from './orders.ts';

const maxBytes = 1024;

/**
 * Validation over HTTP at an address that the caller names for each domain, such as the rehearsal's own ingress: no name
 * is looked up and no redirect followed, so nothing leaves the machine.
 */
export function fetchChallengeAt(addressOf: (domain: string) => { host: string; port: number } | undefined): FetchChallenge {
  return (domain, token, signal) => {
    const at = addressOf(domain);
    if (at === undefined) return Promise.reject(new Error(`${domain} leads nowhere in this rehearsal`));
    return new Promise((resolve, reject) => {
      const path = `/.well-known/acme-challenge/${token}`;
      const outgoing = request({ ...at, path, headers: { host: domain }, agent: false, signal }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => {
          text += piece;
          if (text.length > maxBytes) answer.destroy(new Error('the answer is too long'));
        });
        answer.on('error', reject);
        answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`it answered ${answer.statusCode}`))));
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  };
}
