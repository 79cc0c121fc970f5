import type { SessionClientEvents } from "./api.ts";
import type { lifeTime } from "./life-time.ts";
import type { Told } from "./received.ts";
import { helpFor } from "./refusal.ts";
import { type SessionSnapshot, succeed } from "./snapshot.ts";

export type SessionState<Data> = ReturnType<typeof sessionState<Data>>;

/** The one place where the state of the page's session changes, with the events of that. The life time is that of the session. */
export function sessionState<Data>(life: ReturnType<typeof lifeTime>) {
  type Events = SessionClientEvents<Data> & { readonly settled: undefined };
  /** If a listener throws, the others are called all the same, and the browser reports the error. */
  const listeners = new EventTarget();
  let snapshot: SessionSnapshot<Data> = Object.freeze({ state: "connecting" });
  let isClosed = false;

  function on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    const call = (emitted: Event) => listener((emitted as CustomEvent<Events[E]>).detail); // by `emit`
    listeners.addEventListener(event, call);
    return () => listeners.removeEventListener(event, call);
  }

  function emit<E extends keyof Events>(event: E, detail: Events[E]): void {
    listeners.dispatchEvent(new CustomEvent(event, { detail }));
  }

  /** Unless the state is on its way to another. */
  function settle(): void {
    if (isClosed || !/connecting|lost/.test(snapshot.state)) emit("settled", undefined);
  }

  function become(next: SessionSnapshot<Data>): void {
    const last = snapshot;
    if (isClosed) return;
    const now = succeed(last, next); // a listener may change the state again
    snapshot = now;
    if (!now.expiresAt) life.set(undefined);
    if (now === last) return;
    emit("change", now);
    if (now.state === "refused") emit("refused", now);
    if (now.state === "ended") emit("end", now);
    settle();
  }

  return {
    on,
    emit,
    become,
    snapshot: () => snapshot,

    /** What the server says. It shares data of the type that the application gives. */
    told({ state, publicId, leftMs, data }: Told): void {
      if (isClosed) return;
      life.set(leftMs);
      const expiresAt = leftMs && Date.now() + leftMs;
      become({ state, publicId, data: data as Data, expiresAt });
    },

    /** What was known of the session goes on. */
    lose(): void {
      const { publicId, data, expiresAt } = snapshot;
      become({ state: "lost", publicId, data, expiresAt });
    },

    refused: (code: string | undefined, message?: string) =>
      become({ state: "refused", code, help: helpFor(code), message }),

    /** Resolves when the state is not on its way to another. */
    outcome: () =>
      new Promise<SessionSnapshot<Data>>((resolve) => {
        const remove = on("settled", () => {
          remove();
          resolve(snapshot);
        });
        settle();
      }),

    close(): void {
      isClosed = true;
      life.set(undefined);
      settle();
    },
  };
}
