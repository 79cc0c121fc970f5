/**
 * The least that keeps the costly promises: requests that lose no update of each other, and sockets that see what their session
 * holds now, and hear nothing more once it is read that it has ended. Nothing that is measured ends one, so ends are not published. No
 * limits, no deadlines of its own, no errors that help, one store.
 */
import type { SessionData, Store } from "express-session";
import { signedId } from "./limit.ts";
import { OwnWayStore, useOwnWay } from "./plain.ts";
import type { Application, Subject } from "./subject.ts";

type Values = Record<string, unknown>;
type Done<T> = (error?: unknown, value?: T) => void;

/** The text of each key, as a request has loaded it. */
interface Base {
  readonly text: string;
  readonly fields: ReadonlyMap<string, string>;
}

const baseKey = Symbol("base");

function fieldsOf(values: object): Map<string, string> {
  return new Map(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]));
}

/** `text`, with what `mine` has changed since `base`. */
function merged(base: Base, mine: ReadonlyMap<string, string>, text: string): string {
  const values: Values = JSON.parse(text);
  for (const [key, own] of mine) if (base.fields.get(key) !== own) values[key] = JSON.parse(own);
  for (const key of base.fields.keys()) if (!mine.has(key)) delete values[key];
  return JSON.stringify(values);
}

class MergingStore extends OwnWayStore {
  get(sid: string, done: Done<SessionData | null>): void {
    this.own.read(sid).then((found) => {
      if (found === null) return done(null, null);
      const values = JSON.parse(String(found));
      const base: Base = { text: String(found), fields: fieldsOf(values) };
      done(null, Object.defineProperty(values, baseKey, { value: base }));
    }, done);
  }

  override createSession(request: Parameters<Store["createSession"]>[0], values: SessionData) {
    const base: unknown = Reflect.get(values, baseKey);
    return Object.defineProperty(super.createSession(request, values), baseKey, { value: base });
  }

  set(sid: string, data: SessionData, done?: Done<void>): void {
    const base: Base | undefined = Reflect.get(data, baseKey);
    if (base) this.#write(sid, base, fieldsOf(data)).then(() => done?.(), done);
    else this.usual.set(sid, data, done);
  }

  /** Unless the session has ended. */
  async #write(sid: string, base: Base, mine: ReadonlyMap<string, string>): Promise<void> {
    for (let text: unknown = base.text; text !== null; text = await this.own.read(sid))
      if (await this.own.replace?.(sid, String(text), merged(base, mine, String(text)))) return;
  }
}

/** A session that has sockets here. */
class Live {
  values: Values = {};
  hasEnded = false;
  readonly #connections = new Set<{ close(): void }>();
  readonly #id: string;
  readonly #liveById: Map<string, Live>;

  constructor(id: string, liveById: Map<string, Live>) {
    this.#id = id;
    this.#liveById = liveById;
  }

  join(connection: { close(): void; once(event: "close", listener: () => void): void }): void {
    this.#connections.add(connection);
    this.#liveById.set(this.#id, this); // the last one may have left since this one's read began
    connection.once("close", () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#liveById.delete(this.#id);
    });
  }

  /** `text`: as it is stored now; null if it is over. */
  update(text: unknown): void {
    if (text !== null) this.values = JSON.parse(String(text));
    else this.hasEnded = true;
    if (this.hasEnded) for (const connection of this.#connections) connection.close();
  }
}

const liveKey = Symbol("live");

/** The next message, or the next request, reads again. */
const ignored = () => {};

function liveOf(request: object): Live {
  return Reflect.get(request, liveKey);
}

async function installSockets({ io, store, secrets }: Application): Promise<void> {
  const liveById = new Map<string, Live>();
  await store.changes?.((id) => {
    const live = liveById.get(id);
    if (live) store.read(id).then((text) => live.update(text), ignored);
  });
  io.engine.opts.allowRequest = (request, decide) => {
    const id = signedId(request.headers.cookie, secrets);
    if (id === undefined) return decide("no session", false);
    const live = liveById.get(id) ?? new Live(id, liveById);
    liveById.set(id, live); // before the read, so that no end is missed
    Object.defineProperty(request, liveKey, { value: live });
    store.read(id).then(
      (text) => {
        live.update(text);
        decide(null, !live.hasEnded);
      },
      () => decide("store failed", false),
    );
  };
  io.engine.on("connection", (connection) => liveOf(connection.request).join(connection));
  io.use((socket, next) => {
    const live = liveOf(socket.request);
    socket.use((_packet, pass) => {
      if (!live.hasEnded) pass();
    });
    next();
  });
}

export const least: Subject = {
  name: "least",
  title: "the least that keeps the promises",
  async install(application) {
    await useOwnWay(application, MergingStore);
    await installSockets(application);
    return { read: (socket, done) => done(liveOf(socket.request).values.name) };
  },
};
