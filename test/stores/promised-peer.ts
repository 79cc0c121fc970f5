import type { SessionData, Store } from "express-session";

type Settled<T> = (error?: unknown, value?: T | null) => void;

/** What a method of an express-session store answers by a callback. */
export function settle<T>(call: (done: Settled<T>) => void): Promise<T | null> {
  return new Promise((resolve, reject) =>
    call((error, value) => (error ? reject(error) : resolve(value ?? null))),
  );
}

/** The methods of another package's store as promises. */
export function promised(peer: Store) {
  return {
    get: (sid: string) => settle<SessionData>((done) => peer.get(sid, done)),
    set: (sid: string, data: object) => settle((done) => peer.set(sid, data as SessionData, done)),
    touch: (sid: string, data: object) => settle((done) => peer.touch?.(sid, data as SessionData, done)),
    destroy: (sid: string) => settle((done) => peer.destroy(sid, done)),
  };
}
