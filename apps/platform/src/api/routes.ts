import { advisoryEndpoints } from './advisories.ts';
import { deliveryEndpoints } from './deliveries.ts';
import type { Endpoint } from './endpoint.ts';
import { environmentEndpoints } from './environments.ts';
import { gateEndpoints } from './gate.ts';
import { loginEndpoints } from './login.ts';
import { releaseEndpoints } from './releases.ts';
import { secretEndpoints } from './secrets.ts';
import { serviceEndpoints } from './services.ts';
import { statusEndpoints } from './status.ts';
import { webhookEndpoints } from './webhooks.ts';

/** Every endpoint of the API. To add a resource: a file of the same shape beside these, and a line here. */
export const endpoints: readonly Endpoint<never, never>[] = [
  ...statusEndpoints,
  ...loginEndpoints,
  ...serviceEndpoints,
  ...deliveryEndpoints,
  ...gateEndpoints,
  ...releaseEndpoints,
  ...secretEndpoints,
  ...advisoryEndpoints,
  ...environmentEndpoints,
  ...webhookEndpoints,
] as unknown as readonly Endpoint<never, never>[];
