import { useEffect, useState, useSyncExternalStore } from "react";
import type { SessionClient, SessionSnapshot } from "socket-session/client";

const onServer: SessionSnapshot<never> = { state: "connecting" };

/** The state of the session, in a component: `const { state, data } = useSession(session)`. */
export function useSession<Data>(session: SessionClient<Data>): SessionSnapshot<Data> {
  return useSyncExternalStore(session.subscribe, session.getSnapshot, () => onServer);
}

/** The time left in milliseconds, drawn again every second. */
export function useLeftMs(session: SessionClient): number | undefined {
  const [leftMs, setLeftMs] = useState(session.leftMs);
  useEffect(() => {
    const timer = setInterval(() => setLeftMs(session.leftMs), 1_000);
    return () => clearInterval(timer);
  }, [session]);
  return leftMs;
}
