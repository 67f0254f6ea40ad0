export { createKubeClient, type KubeClientOptions } from './client.ts';
export {
  type ControllerOptions,
  type ControllerSource,
  type ReconcileContext,
  type ReconcileResult,
  runController,
  source,
} from './controller.ts';
export { listResourceTypes } from './discovery.ts';
export { isKubeError, KubeError, type KubeErrorCode, type StatusCause } from './errors.ts';
export { createEventRecorder, type EventRecorder, type EventRecorderOptions } from './event-recorder.ts';
export {
  type Change,
  createInformerSet,
  type Informer,
  type InformerOptions,
  type InformerSet,
  startInformer,
} from './informer.ts';
export { apiVersionOf, keyOf, partsOfKey } from './keys.ts';
export { clientFromKubeconfig, Kubeconfig, optionsFromKubeconfig } from './kubeconfig.ts';
export { controllerOf, controllerReference, isControlledBy, ownerReference } from './owners.ts';
export * from './pod.ts';
export { resourcePath } from './resource-path.ts';
export { formatSelector } from './selector.ts';
export * from './types.ts';
export * from './well-known.ts';
export { type BackOff, createWorkQueue, type WorkQueue } from './work-queue.ts';
