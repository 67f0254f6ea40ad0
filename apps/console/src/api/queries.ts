import type { Caller, Delivery, DeliveryList, GateReport, PlatformStatus, ReleaseDetail, ServiceView } from '@desp/model';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, call } from './client.ts';

/** Everything that the console asks of the platform, in one list. */
const listEveryMs = 4_000;

export const queries = {
  me: () =>
    queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => call<Caller>('/api/me', { signal }), staleTime: Number.POSITIVE_INFINITY }),
  status: () =>
    queryOptions({ queryKey: ['status'], queryFn: ({ signal }) => call<PlatformStatus>('/api/status', { signal, session: false }) }),
  deliveries: (service?: string) =>
    queryOptions({
      queryKey: ['deliveries', service ?? ''],
      queryFn: async ({ signal }) =>
        (await call<DeliveryList>(`/api/deliveries${service ? `?service=${encodeURIComponent(service)}` : ''}`, { signal })).deliveries,
      refetchInterval: listEveryMs,
    }),
  /** One delivery; its page keeps it up to date from the stream of events. */
  delivery: (id: string) =>
    queryOptions({ queryKey: ['delivery', id], queryFn: ({ signal }) => call<Delivery>(apiPath('deliveries', id), { signal }) }),
  services: () =>
    queryOptions({
      queryKey: ['services'],
      queryFn: async ({ signal }) => (await call<{ services: ServiceView[] }>('/api/services', { signal })).services,
    }),
  service: (name: string) =>
    queryOptions({ queryKey: ['service', name], queryFn: ({ signal }) => call<ServiceView>(apiPath('services', name), { signal }) }),
  /** `updatedAt` is part of the key: a delivery that moved on may have been judged again. */
  gate: (repository: string, digest: string, updatedAt: string) =>
    queryOptions<GateReport>({
      queryKey: ['gate', repository, digest, updatedAt],
      queryFn: ({ signal }) =>
        call<GateReport>(`/api/gate?repository=${encodeURIComponent(repository)}&digest=${encodeURIComponent(digest)}`, { signal }),
      placeholderData: (previous) => (previous?.digest === digest ? previous : undefined),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  release: (service: string, version: string, updatedAt: string) =>
    queryOptions<ReleaseDetail>({
      queryKey: ['release', service, version, updatedAt],
      queryFn: ({ signal }) => call<ReleaseDetail>(apiPath('releases', service, version), { signal }),
      placeholderData: (previous) => (previous?.service === service && previous.version === version ? previous : undefined),
      staleTime: Number.POSITIVE_INFINITY,
    }),
};
