import { describe, expect, test } from 'vitest';
import { findSchema } from '../builtin.ts';
import {
  applyJsonPatch,
  applyMergePatch,
  applyServerSide,
  applyStrategicMergePatch,
  type Cause,
  describeCauses,
  type GroupVersionKind,
  type JsonObject,
  pruneUnknown,
  resetFields,
  SchemaError,
  type StructSchema,
  setDefaults,
  trackUpdate,
  validateObject,
} from '../index.ts';
import { ownObject } from '../json.ts';
import recorded from './answers.json' with { type: 'json' };
import { cases } from './cases.ts';
import { normalAnswer } from './normal.ts';
import type { Case, Step } from './request.ts';

/** The smallest server that there can be: one object, no storage; the order of steps is the real one's. */
class OneObject {
  private live: JsonObject | undefined;
  private readonly gvk: GroupVersionKind;
  private readonly schema: StructSchema;
  private second = 0;

  constructor({ path, steps }: Case) {
    const [, root, ...rest] = path.split('/');
    const kind = (steps[0]!.body as { kind: string }).kind;
    this.gvk = root === 'api' ? { group: '', version: 'v1', kind } : { group: rest[0]!, version: rest[1]!, kind };
    this.schema = findSchema(this.gvk)!;
  }

  step({ verb, manager: name, force, body }: Step): JsonObject {
    const apiVersion = this.gvk.group ? `${this.gvk.group}/${this.gvk.version}` : this.gvk.version;
    const shared = { schema: this.schema, manager: { name, apiVersion }, now: new Date(Date.UTC(2026, 0, 1, 0, 0, this.second++)) };
    const reset = resetFields(this.gvk, undefined, this.schema.fields.has('status'));
    const live = this.live;
    try {
      let next: JsonObject;
      if (verb === 'apply') {
        const complete = (merged: JsonObject): JsonObject => this.complete(merged);
        next = applyServerSide({ ...shared, live, config: body as JsonObject, force: force === true, reset, complete }).object;
      } else {
        const changed = verb === 'create' ? (body as JsonObject) : this.patched(verb, body);
        next = trackUpdate({ ...shared, live, updated: this.complete(changed), reset });
      }
      const placed = { ...next, metadata: { ...ownObject(next, 'metadata'), namespace: 'n' } };
      const causes = validateObject(placed, { schema: this.schema, namespaced: true, ...(live ? { old: live } : {}) });
      if (causes.length > 0) return this.refusal(placed, causes);
      this.live = next;
      return next;
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      const code = { APPLY_CONFLICT: 409, TYPE_MISMATCH: 500, APPLY_INVALID: 400 }[error.code as string] ?? 422;
      return { kind: 'Status', code, message: error.message, details: error.causes.length > 0 ? { causes: asJson(error.causes) } : {} };
    }
  }

  private complete(object: JsonObject): JsonObject {
    return setDefaults(pruneUnknown(object, this.schema), this.schema);
  }

  private patched(verb: Step['verb'], body: unknown): JsonObject {
    if (verb === 'json') return applyJsonPatch(this.live!, body as never) as JsonObject;
    if (verb === 'strategic') return applyStrategicMergePatch(this.live!, body as JsonObject, this.schema);
    return applyMergePatch(this.live, body as never) as JsonObject;
  }

  private refusal(object: JsonObject, causes: readonly Cause[]): JsonObject {
    const name = String(ownObject(object, 'metadata')?.['name']);
    return { kind: 'Status', code: 422, message: describeCauses(this.gvk, name, causes), details: { causes: asJson(causes) } };
  }
}

const asJson = (causes: readonly Cause[]): JsonObject[] => causes.map(({ reason, message, field }) => ({ reason, message, field }));

/** Causes in any order; the message of several is their sum, so that only their count can differ. */
function comparable(answer: JsonObject): unknown {
  const causes = answer['causes'];
  if (!Array.isArray(causes)) return answer;
  const lines = causes.map((cause) => JSON.stringify(cause, ['field', 'message', 'reason'])).sort();
  return { code: answer['code'], causes: lines, ...(causes.length === 1 ? { message: answer['message'] } : {}) };
}

const answers = recorded.answers as unknown as Record<string, JsonObject[]>;

describe(`the same requests as to kube-apiserver ${recorded.server}`, () => {
  test.each(cases.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
    const server = new OneObject(entry);
    for (const [index, step] of entry.steps.entries()) {
      const ours = normalAnswer(server.step(step));
      const theirs = answers[name]![index]!;
      // The real server hides why a JSON patch does not apply; ours says it.
      if (step.verb === 'json' && theirs['code'] === 422) expect(ours['code'], `step ${index}`).toBe(422);
      else expect(comparable(ours), `step ${index}`).toEqual(comparable(theirs));
    }
  });
});
