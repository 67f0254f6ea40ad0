import type { Delivery } from '@desp/model';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { apiPath, request } from './client.ts';
import { followDelivery, type Liveness } from './follow-delivery.ts';
import { queries } from './queries.ts';
import { wait } from './wait.ts';

/** One delivery as it is now and as it becomes, and whether what is shown is live. */
export function useLiveDelivery(id: string): {
  delivery: Delivery | undefined;
  error: Error | null;
  liveness: Liveness;
  retry: () => void;
} {
  const client = useQueryClient();
  const query = useQuery(queries.delivery(id));
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  useEffect(() => {
    const end = new AbortController();
    void followDelivery({
      open: (signal) => request(`${apiPath('deliveries', id)}/events`, { signal }),
      onDelivery: (delivery) => client.setQueryData(queries.delivery(id).queryKey, delivery),
      onLiveness: setLiveness,
      wait,
      random: Math.random,
      signal: end.signal,
    });
    return () => end.abort();
  }, [client, id]);
  return { delivery: query.data, error: query.error, liveness, retry: () => void query.refetch() };
}
