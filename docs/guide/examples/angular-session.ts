import { DestroyRef, inject, type Signal, signal } from "@angular/core";
import type { SessionClient, SessionSnapshot } from "socket-session/client";

/** The state of the session, as a field of a service or component: `readonly session = sessionSignal(client)`. */
export function sessionSignal<Data>(client: SessionClient<Data>): Signal<SessionSnapshot<Data>> {
  const snapshot = signal(client.getSnapshot());
  const remove = client.subscribe(() => snapshot.set(client.getSnapshot()));
  inject(DestroyRef).onDestroy(remove);
  return snapshot.asReadonly();
}
