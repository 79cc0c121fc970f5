/** `sessions.user(id)` given wrong arguments: what names no session ends none, and not all. */
import { runInNewContext } from "node:vm";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serverSockets } from "./support/handlers.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
/** Of the one session of the user. */
let publicId: string;

beforeEach(async () => {
  world = await startWorld({ store: memoryStore(), userId: (data) => data.userId });
  const ada = await world.visitor({ userId: "ada" });
  await ada.connect();
  publicId = serverSockets(world.io)[0]?.session.publicId ?? "";
});
afterEach(() => world.close());

const users = () => world.sessions.user("ada");
const callback = () => {};

async function refuses(method: "end" | "list", args: readonly unknown[]): Promise<void> {
  await expect(Reflect.apply(users()[method], users(), args)).rejects.toMatchObject({
    name: "SocketSessionError",
    code: "INVALID_OPTION",
  });
  expect(await users().list()).toHaveLength(1);
  expect(world.sessions.stats()).toMatchObject({ live: 1, connections: 1 });
}

describe("the sessions of a user, from plain JavaScript", () => {
  const { publicId: _none, ...named } = { publicId: "x", exceptPublicId: "x" };
  class Nothing {
    constructor() {
      Object.setPrototypeOf(Nothing.prototype, null);
    }
  }
  const empty = new Proxy({ publicId: "x" }, { ownKeys: () => [] });

  test.each<[string, ...unknown[]]>([
    ["options in the second place", undefined, { publicId: "x" }],
    ["more than one argument", {}, undefined],
    ["a callback", callback],
    ["a callback after the options", {}, callback],
    ["no public id", { publicId: "" }],
    ["no public id to keep", { exceptPublicId: "" }],
    ["a public id that is undefined", { publicId: undefined }],
    ["a public id that is a String", { publicId: new String("x") }],
    ["both", { publicId: "x", ...named }],
    ["a receipt of all", { receipt: true }],
    ["a receipt of all but one", { exceptPublicId: "x", receipt: true }],
    ["a receipt that is neither true nor false", { publicId: "x", receipt: 1 }],
    ["an inherited option", Object.create({ publicId: "x" })],
    [
      "one inherited from an object without prototype",
      Object.create(Object.create(null, { publicId: { value: "x" } })),
    ],
    ["an object that inherits from one without prototype", Object.create(Object.create(null))],
    ["an instance", new Map([["publicId", "x"]])],
    ["an instance of a class that extends null", new Nothing()],
    [
      "a getter of a class",
      new (class {
        get publicId() {
          return "x";
        }
      })(),
    ],
    ["an option that is not enumerable", Object.defineProperty({}, "publicId", { value: "x" })],
    ["a symbol", { [Symbol("publicId")]: "x" }],
    ["a proxy that lists nothing", empty],
    ["the prototype of all objects", Object.prototype],
    ["a String", new String("")],
    ["an array", []],
    ["null", null],
  ])("end: %s ends nothing", async (_name, ...args) => {
    await refuses("end", args);
  });

  test("list: a callback, which would never be called", async () => {
    await refuses("list", [callback]);
  });

  test.each<[string, () => unknown[]]>([
    ["without options", () => []],
    ["with none", () => [{}]],
    ["with none, without prototype", () => [Object.create(null)]],
    ["with none, of another realm", () => [runInNewContext("({})")]],
    ["with one, of another realm", () => [runInNewContext("({ exceptPublicId: 'x' })")]],
    ["with one, without prototype", () => [Object.assign(Object.create(null), { publicId })]],
  ])("end: %s", async (_name, args) => {
    expect(await Reflect.apply(users().end, users(), args())).toBe(1);
  });
});

test("the end of one session has a receipt, on whatever node it is live; that of another user's session ends nothing", async () => {
  expect(await world.sessions.user("grace").end({ publicId, receipt: true })).toEqual({
    ended: false,
    nodes: [],
    unanswered: [],
    others: "not asked",
    certainBy: undefined,
  });
  expect(await users().list()).toHaveLength(1);
  expect(await users().end({ publicId, receipt: true })).toMatchObject({
    ended: true,
    nodes: [{ sockets: 1 }],
    unanswered: [],
    others: "asked",
  });
  expect(await users().list()).toEqual([]);
});
