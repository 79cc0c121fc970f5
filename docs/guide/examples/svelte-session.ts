import type { SessionClient, SessionSnapshot } from "socket-session/client";

/** A store of Svelte's contract: `const session = sessionStore(client)`, and `$session.data?.name` in the template. */
export function sessionStore<Data>(client: SessionClient<Data>) {
  return {
    subscribe(run: (snapshot: SessionSnapshot<Data>) => void): () => void {
      run(client.getSnapshot());
      return client.subscribe(() => run(client.getSnapshot()));
    },
  };
}
