import type { SessionClient, SessionSnapshot } from "socket-session/client";
import { onScopeDispose, type ShallowRef, shallowRef } from "vue";

/** The state of the session, in a setup function: `const session = useSession(client)`, and `session.data?.name` in the template. */
export function useSession<Data>(client: SessionClient<Data>): Readonly<ShallowRef<SessionSnapshot<Data>>> {
  const snapshot = shallowRef(client.getSnapshot());
  const remove = client.subscribe(() => {
    snapshot.value = client.getSnapshot();
  });
  onScopeDispose(remove);
  return snapshot;
}
