import type { Connection, FollowingTenant } from 'intent/client';

/** Keeps telling in words how current the panel is. */
export function showConnection(element: HTMLElement, tenant: FollowingTenant): void {
  const render = () => {
    const { connection } = tenant.getSnapshot();
    const isOffline = connection.status !== 'closed' && !navigator.onLine;
    element.dataset['status'] = isOffline ? 'offline' : connection.status;
    element.textContent = isOffline ? 'offline' : describe(connection);
  };
  tenant.subscribe(render);
  // The browser knows at once that it is off the network; a silent WebSocket is noticed later.
  window.addEventListener('online', render);
  window.addEventListener('offline', render);
  render();
}

function describe({ status, error }: Connection): string {
  switch (status) {
    case 'connecting':
      return 'connecting …';
    case 'live':
      return 'live';
    case 'behind':
      return 'catching up …';
    case 'offline':
      return 'reconnecting …';
    case 'closed':
      return `closed: ${error?.message ?? 'load the page anew'}`;
    default:
      return status satisfies never;
  }
}
