import { z } from 'zod';
import { OciError } from '../../errors.ts';
import { createRobot, setRobotSecret } from '../robots.ts';
import type { RegistryAction, Robot } from '../types.ts';
import { sendEmpty, sendJson } from '../wire.ts';
import { demandAdministrator, type HarborCall, type HarborRoute, notFound, readJson, sendPage } from './call.ts';

/** Robot accounts (Harbor's swagger.yaml, tag "robot"); here each belongs to one project. */
export const robotRoutes: readonly HarborRoute[] = [
  ['GET', '/robots', listRobots],
  ['POST', '/robots', postRobot],
  ['GET', '/robots/:id', getRobot],
  ['PATCH', '/robots/:id', refreshRobot],
  ['DELETE', '/robots/:id', deleteRobot],
];

const NewRobot = z.object({
  name: z.string(),
  level: z.literal('project', 'robots of this registry belong to one project: level must be "project"'),
  duration: z.number().int().min(-1).max(36_500).default(-1),
  permissions: z
    .array(
      z.object({
        kind: z.literal('project').default('project'),
        namespace: z.string(),
        access: z.array(z.object({ resource: z.string(), action: z.string(), effect: z.literal('allow').optional() })).min(1),
      }),
    )
    .length(1, 'exactly one project'),
});

const robotActions = new Map<string, RegistryAction>([
  ['repository:pull', 'pull'],
  ['repository:push', 'push'],
  ['repository:delete', 'delete'],
  ['artifact:delete', 'delete'],
]);

const robotView = (robot: Robot) => ({
  id: robot.id,
  name: robot.name,
  level: 'project',
  disable: false,
  editable: true,
  duration: -1,
  expires_at: robot.expiresAt === undefined ? -1 : Math.floor(Date.parse(robot.expiresAt) / 1000),
  permissions: [
    {
      kind: 'project',
      namespace: robot.project,
      access: robot.actions.map((action) => ({ resource: 'repository', action, effect: 'allow' })),
    },
  ],
});

const administered = (call: HarborCall) =>
  call.context.metadata
    .robots(call.context.options.name)
    .filter((robot) => call.context.gate.mayAdminister(call.caller.principal, robot.project));

/** `q=Level=project,ProjectID=N` asks for one project's robots; nothing else can be asked for here. */
function listRobots(call: HarborCall): void {
  const question = call.exchange.query.get('q') ?? '';
  const [, number] = /^(?:Level=project,)?ProjectID=(\d{1,10})$/.exec(question) ?? [];
  if (question !== '' && question !== 'Level=project' && number === undefined)
    throw new OciError('BAD_REQUEST', `The question ${JSON.stringify(question.slice(0, 100))} is not served here.`);
  const project = number === undefined ? undefined : call.context.metadata.projectNumbered(call.context.options.name, Number(number));
  const found = administered(call).filter((robot) => number === undefined || robot.project === project?.name);
  sendPage(call.exchange, found, robotView);
}

async function postRobot(call: HarborCall): Promise<void> {
  const { context, exchange } = call;
  const wanted = await readJson(exchange, NewRobot);
  const [{ namespace, access }] = wanted.permissions as [(typeof wanted.permissions)[number]];
  demandAdministrator(call, namespace);
  const actions = access.map(({ resource, action }) => {
    const known = robotActions.get(`${resource}:${action}`);
    if (!known) throw new OciError('BAD_REQUEST', `A robot cannot be given ${resource.slice(0, 60)}:${action.slice(0, 60)} here.`);
    return known;
  });
  if (context.metadata.robot(context.options.name, `robot$${namespace}+${wanted.name}`))
    throw new OciError('CONFLICT', `robot ${wanted.name} already exists`);
  const expiresAt = wanted.duration < 0 ? undefined : new Date(context.clock.now().getTime() + wanted.duration * 24 * 3600 * 1000);
  const robot = await createRobot(context, { project: namespace, name: wanted.name, actions: [...new Set(actions)], expiresAt });
  sendJson(
    exchange,
    201,
    {
      id: robot.id,
      name: robot.name,
      secret: robot.secret,
      creation_time: context.clock.now().toISOString(),
      expires_at: robotView(robot).expires_at,
    },
    { location: `/api/v2.0/robots/${robot.id}` },
  );
}

function findRobot(call: HarborCall, id: string): Robot {
  const robot = administered(call).find((one) => String(one.id) === id);
  if (!robot) throw notFound(`robot ${id.slice(0, 40)}`);
  return robot;
}

function getRobot(call: HarborCall, id = ''): void {
  sendJson(call.exchange, 200, robotView(findRobot(call, id)));
}

async function deleteRobot(call: HarborCall, id = ''): Promise<void> {
  await call.context.metadata.deleteRobot(call.context.options.name, findRobot(call, id).name);
  sendEmpty(call.exchange, 200);
}

const Secret = z.object({ secret: z.string().max(128).default('') });
/** Harbor's rule for secrets of one's own choice. */
const strongSecret = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\x21-\x7e]{8,128}$/;

/** `PATCH /robots/ID`: another secret; a new random one where the body names none. The old one is over at once. */
async function refreshRobot(call: HarborCall, id = ''): Promise<void> {
  const robot = findRobot(call, id);
  const { secret: wanted } = await readJson(call.exchange, Secret);
  if (wanted !== '' && !strongSecret.test(wanted))
    throw new OciError(
      'BAD_REQUEST',
      'the secret must be 8 to 128 characters with at least 1 uppercase letter, 1 lowercase letter and 1 number',
    );
  const secret = await setRobotSecret(call.context, robot, wanted);
  sendJson(call.exchange, 200, { secret });
}
