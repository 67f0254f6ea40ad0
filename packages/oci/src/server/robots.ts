import { z } from 'zod';
import { OciError } from '../errors.ts';
import { hashSecret, newSecret } from './access.ts';
import type { RegistryContext } from './context.ts';
import type { RegistryAction, Robot } from './types.ts';

const RobotName = z
  .string()
  .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/)
  .max(100);

/** Makes a robot of a project, or gives a known one a new secret. The secret is returned and then forgotten. */
export async function createRobot(
  context: RegistryContext,
  robot: { project: string; name: string; actions: readonly RegistryAction[]; expiresAt?: Date | undefined },
): Promise<Robot & { secret: string }> {
  if (!RobotName.safeParse(robot.name).success) {
    throw new OciError('BAD_REQUEST', `${JSON.stringify(robot.name.slice(0, 120))} is no robot name.`, {
      cure: 'Use lower-case letters and digits, with dots, dashes or underscores between them.',
    });
  }
  if (!context.metadata.project(context.options.name, robot.project)) {
    throw new OciError('NOT_FOUND', `project ${robot.project} not found`);
  }
  const secret = newSecret();
  const stored = await context.metadata.putRobot(
    context.options.name,
    {
      name: `robot$${robot.project}+${robot.name}`,
      project: robot.project,
      actions: robot.actions,
      expiresAt: robot.expiresAt?.toISOString(),
    },
    hashSecret(secret),
  );
  const { id, name, project, actions, expiresAt } = stored;
  return { id, name, project, actions, expiresAt, secret };
}

/** Gives a robot the secret of its owner's choice, or a new random one when that is empty; the former one is over. */
export async function setRobotSecret(context: RegistryContext, robot: Robot, wanted: string): Promise<string> {
  const secret = wanted === '' ? newSecret() : wanted;
  const { name, project, actions, expiresAt } = robot;
  await context.metadata.putRobot(context.options.name, { name, project, actions, expiresAt }, hashSecret(secret));
  return secret;
}
