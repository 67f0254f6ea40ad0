import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import { VaultError } from '../errors.ts';
import type { TokenReviewer } from '../types.ts';

const Review = z.object({
  status: z.object({
    authenticated: z.boolean().optional(),
    error: z.string().optional(),
    user: z.object({ username: z.string(), uid: z.string().optional() }).optional(),
  }),
});

const maxAnswerBytes = 1024 * 1024;

/**
 * Asks the Kubernetes API of the auth mount's configuration (`POST /apis/authentication.k8s.io/v1/tokenreviews`). The
 * caller is `token_reviewer_jwt`, else the very token under review, as Vault does.
 */
export const reviewTokenOverKubernetes: TokenReviewer = async ({ jwt, config, audience }) => {
  const url = new URL(`${config.kubernetes_host.replace(/\/+$/, '')}/apis/authentication.k8s.io/v1/tokenreviews`);
  const body = JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: jwt, ...(audience === undefined ? {} : { audiences: [audience] }) },
  });
  const text = await post(url, body, config.token_reviewer_jwt || jwt, config.kubernetes_ca_cert);
  const review = Review.safeParse(JSON.parse(text));
  if (!review.success) throw new VaultError('UPSTREAM_PROTOCOL', `${url.origin} did not answer with a TokenReview.`, { kind: 'upstream' });
  const { authenticated, error, user } = review.data.status;
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user?.username ?? '') ?? [];
  if (!authenticated || namespace === undefined || serviceAccount === undefined) {
    return { authenticated: false, error: error ?? 'the token belongs to no service account' };
  }
  return { authenticated: true, namespace, serviceAccount, uid: user?.uid ?? '' };
};

function post(url: URL, body: string, token: string, ca: string): Promise<string> {
  const secure = url.protocol === 'https:';
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown) =>
      reject(
        new VaultError('UPSTREAM_UNREACHABLE', `The token review at ${url.origin} failed: ${why}.`, {
          kind: 'upstream',
          retryable: true,
          cause,
        }),
      );
    const request = (secure ? httpsRequest : httpRequest)(
      url,
      { method: 'POST', headers, timeout: 10_000, ...(secure && ca ? { ca } : {}) },
      (response) => {
        const pieces: Buffer[] = [];
        let total = 0;
        response.on('data', (piece: Buffer) => {
          total += piece.length;
          if (total > maxAnswerBytes) request.destroy(new Error('the answer is too long'));
          else pieces.push(piece);
        });
        response.on('end', () => {
          if (response.statusCode === 200 || response.statusCode === 201) resolve(Buffer.concat(pieces).toString('utf8'));
          else refuse(`status ${response.statusCode}`);
        });
        response.on('error', (error) => refuse(error.message, error));
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
    request.on('error', (error) => refuse(error.message, error));
    request.end(body);
  });
}
