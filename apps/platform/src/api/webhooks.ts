import { z } from 'zod';
import { recordPush } from '../deliveries/record-push.ts';
import { endpoint } from './endpoint.ts';

/** What of GitLab's push and tag push events is looked at; they hold more. */
export const PushEvent = z
  .object({
    object_kind: z.enum(['push', 'tag_push']),
    ref: z.string().min(1).max(1024),
    after: z.string().regex(/^[0-9a-f]{40}$/, 'must be a full object id'),
    user_username: z.string().max(255),
    project: z.object({ path_with_namespace: z.string().max(500) }),
  })
  .meta({ id: 'PushEvent' });

export const webhookEndpoints = [
  endpoint({
    method: 'POST',
    url: '/api/webhooks/git',
    summary: "Tell of a push: the Git host's webhook (GitLab's push and tag push events)",
    access: 'git-host',
    body: PushEvent,
    // An event lists the files of each of its commits.
    bodyLimit: 16 * 1024 * 1024,
    // GitLab reads no answer of a webhook; the embedded host shows these lines to whoever pushed.
    answer: z.object({ messages: z.array(z.string()) }),
    async run({ platform, body }) {
      // A tag that the platform itself writes starts nothing: the commit was delivered already.
      if (body.user_username === (await platform.gitHost.client.username())) return { messages: [] };
      const messages = await recordPush(platform, {
        repository: body.project.path_with_namespace,
        pushedBy: body.user_username,
        ref: body.ref,
        commit: body.after,
      });
      return { messages };
    },
  }),
];
