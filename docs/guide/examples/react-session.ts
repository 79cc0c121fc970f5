import { useSyncExternalStore } from "react";
import type { SessionClient, SessionSnapshot } from "socket-session/client";

const onServer: SessionSnapshot<never> = { state: "connecting" };

/** The state of the session, in a component: `const { state, data } = useSession(session)`. */
export function useSession<Data>(session: SessionClient<Data>): SessionSnapshot<Data> {
  return useSyncExternalStore(session.subscribe, session.getSnapshot, () => onServer);
}

function everySecond(draw: () => void): () => void {
  const timer = setInterval(draw, 1_000);
  return () => clearInterval(timer);
}

/** The seconds left; undefined while they are not known, and on the server. */
export function useSecondsLeft(session: SessionClient): number | undefined {
  const seconds = () => session.leftMs && Math.ceil(session.leftMs / 1_000);
  return useSyncExternalStore(everySecond, seconds, () => undefined);
}
