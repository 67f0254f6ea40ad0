import { Verdict } from '@desp/model';
import { type Envelope, fromBase64, fromUtf8 } from '@desp/security';
import { z } from 'zod';

const statement = z.object({ predicate: z.record(z.string(), z.unknown()) });

/** The verdict that an envelope holds, for showing; its signature is not checked here. Undefined when there is none. */
export function verdictIn(envelope: Envelope): Verdict | undefined {
  try {
    const parsed = statement.parse(JSON.parse(fromUtf8(fromBase64(envelope.payload)) ?? ''));
    return Object.values(parsed.predicate)
      .map((value) => Verdict.safeParse(value))
      .find((result) => result.success)?.data;
  } catch {
    return undefined;
  }
}
