/** The log of life cycles, as tests compare it. */
import type { LifecycleEvent, LiveSessions } from "socket-session";

/** The events of `sessions`; `brief()` takes those since the last call, without times, addresses and sessions. */
export function followLifecycle(sessions: LiveSessions) {
  const events: LifecycleEvent[] = [];
  sessions.on("lifecycle", (event) => events.push(event));
  const brief = () =>
    events.splice(0).map((event) => {
      if (event.type === "refused") return `refused ${event.code}`;
      if (event.type === "forbidden") {
        const { code, path, namespace, room, userId } = event;
        return `forbidden ${code} at ${[path, namespace, room].filter(Boolean).join(" ")}, ${userId}`;
      }
      const what = event.type === "ended" ? `ended ${event.reason}` : event.type;
      return `${what} by ${event.by}, ${event.userId}`;
    });
  return { events, brief };
}
