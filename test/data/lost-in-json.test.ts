/** Values that `update` refuses because JSON would lose them: which are checked, and those that resist the check. */
import type { LiveSession } from "socket-session";
import { afterEach, expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { refuseLosses } from "../../src/data/lost-in-json.ts";
import { serverSockets } from "../support/handlers.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World | undefined;
afterEach(() => world?.close());

async function sessionOf(data: Record<string, unknown>, options: WorldOptions = {}): Promise<LiveSession> {
  world = await startWorld(options);
  await (await world.visitor(data)).connect();
  const [socket] = serverSockets(world.io);
  if (!socket) throw new Error("no socket");
  return socket.session;
}

const fail = (): never => {
  throw new Error("s3cret");
};
/** What answers 1 when JSON is made of it, and otherwise whatever `again` gives. */
const twoFaced = (again: () => unknown) => {
  let reads = 0;
  return { enumerable: true, configurable: true, get: () => (reads++ === 0 ? 1 : again()) };
};
const endless = (): object => Object.defineProperty({}, "next", { enumerable: true, get: endless });

test.each<[string, (draft: object) => unknown, string]>([
  ["throws", (s) => Object.defineProperty(s, "x", twoFaced(fail)), "cannot be written as JSON (Error)"],
  [
    "holds what throws",
    (s) => Object.assign(s, { x: Object.defineProperty({}, "a", twoFaced(fail)) }),
    "cannot be written as JSON (Error)",
  ],
  [
    "has other keys, which throw",
    (s) => {
      let reads = 0;
      const ownKeys = () => (reads++ === 0 ? [] : fail());
      Object.assign(s, { x: new Proxy({}, { ownKeys }) });
    },
    "cannot be written as JSON (Error)",
  ],
  [
    "never ends",
    (s) => Object.assign(s, { x: Object.defineProperty({}, "a", twoFaced(endless)) }),
    "it was, or held, what is another value each time it is read. Keep data alone in a session.",
  ],
])("a value that %s when it is read again is refused like the others", async (_name, change, text) => {
  const session = await sessionOf({ name: "ada" });
  const refused = session.update((s) => void change(s));
  await expect(refused).rejects.toMatchObject({
    code: "SESSION_INVALID_DATA",
    message: expect.stringContaining(`The session's "x" `),
  });
  await expect(refused).rejects.toThrow(text);
  await expect(refused).rejects.not.toThrow("s3cret");
  expect(session.data).toEqual({ name: "ada" });
});

test("data that is too large is refused for that, before its values are checked", async () => {
  const session = await sessionOf({ name: "ada" }, { maxSessionBytes: 2_000 });
  await expect(
    session.update((s) => void Object.assign(s, { x: [new Map(), "x".repeat(2_000)] })),
  ).rejects.toThrow("A session may have 2000 bytes of JSON");
});

test("unchanged data is not checked", () => {
  const before = fieldsOf({ same: { a: 1 }, n: 1 });
  const values = { same: new Proxy({ a: 1 }, { get: fail, ownKeys: fail, getPrototypeOf: fail }), n: 2 };
  refuseLosses(values, new Map([...before, ["n", "2"]]), before);
});

test.each<[string, object]>([
  ["a Map in the place of {}", { x: new Map([["a", 1]]) }],
  ["a function in the place of nothing", { y: () => 1 }],
  ["a function in the place of {}", { x: () => 1 }],
])("%s leaves the text unchanged, and is refused all the same", async (_name, changes) => {
  const session = await sessionOf({ x: {} });
  await expect(session.update((s) => void Object.assign(s, changes))).rejects.toThrow("what JSON can hold");
  expect(session.data).toEqual({ x: {} });
});

test("many values without JSON text are no reason to refuse", async () => {
  const session = await sessionOf({});
  const none = { toJSON: () => undefined };
  await session.update((s) => void Object.assign(s, { x: { a: none, b: none, c: none, d: none }, y: none }));
  expect(session.data).toEqual({ x: {} });
});
