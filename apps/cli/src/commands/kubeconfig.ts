import { connect } from '../client.ts';
import { type Command, exitCodes } from '../command.ts';

export const command: Command = {
  name: 'kubeconfig',
  summary: "Print your own kubeconfig for an environment's cluster; it reaches the namespaces of your services.",
  arguments: ['ENV'],
  options: {},
  example: 'desp kubeconfig e2e > e2e.yaml\nKUBECONFIG=e2e.yaml kubectl get pods -n sample-app',
  async run({ positionals: [environment = ''], io }) {
    io.out(new TextDecoder().decode(await connect(io).bytes(`/api/environments/${encodeURIComponent(environment)}/kubeconfig`)));
    return exitCodes.done;
  },
};
