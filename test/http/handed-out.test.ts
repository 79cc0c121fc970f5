/** What `get` hands out: a session object is made of it at once, or later, or twice, or never. */
import type { Store } from "express-session";
import { type LiveSessions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { secret } from "../support/world.ts";

type Document = Record<string, unknown>;
type Request = Parameters<Store["createSession"]>[0];

const cookie = () =>
  ({ originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000).toISOString() }) as never;

let here: LiveSessions;
let elsewhere: LiveSessions;
let facade: Store;
let errors: unknown[];

beforeEach(async () => {
  const store = memoryStore();
  here = liveSessions({ store, secret });
  elsewhere = liveSessions({ store, secret });
  errors = [];
  here.on("error", (error) => errors.push(error));
  facade = here.store();
  await saved(elsewhere.store(), { cookie: cookie(), n: 0, m: 0 });
});

afterEach(async () => {
  await elsewhere.close();
  await here.close();
});

/** The error of a save, if any. */
function saved(store: Store, values: object): Promise<unknown> {
  return new Promise((resolve) => store.set("a", values as never, resolve));
}

function stored(): Promise<unknown> {
  return new Promise((resolve) => elsewhere.store().get("a", (_error, found) => resolve(found)));
}

const inflated = (document: object): object =>
  facade.createSession({ sessionID: "a", sessionStore: facade } as Request, document as never);

/** What application code has of the result of one `get`, of which a session object was made in its callback. */
const others: [what: string, of: (document: Document) => object][] = [
  [
    "the document",
    (document) => {
      inflated(document);
      return document;
    },
  ],
  [
    "a copy that was taken first",
    (document) => {
      const copy = { ...document };
      inflated(document);
      return copy;
    },
  ],
  [
    "a second session object",
    (document) => {
      inflated(document);
      return inflated(document);
    },
  ],
];

describe.each(others)("%s", (_what, of) => {
  let held: Document;

  beforeEach(async () => {
    held = await new Promise((resolve) =>
      facade.get("a", (_error, found) => resolve(of(found as unknown as Document) as Document)),
    );
    held.m = 5;
  });

  test("is merged when it is saved", async () => {
    const other = await new Promise<object>((resolve) =>
      elsewhere.store().get("a", (_error, found) => resolve(found as object)),
    );
    expect(await saved(elsewhere.store(), Object.assign(other, { n: 1 }))).toBeFalsy();
    expect(await saved(facade, held)).toBeFalsy();
    expect(await stored()).toMatchObject({ n: 1, m: 5 });
  });

  test("does not revive a session that has ended elsewhere", async () => {
    await elsewhere.end("a");
    expect(await saved(facade, held)).toMatchObject({ code: "SESSION_ENDED" });
    expect(await stored()).toBeNull();
  });
});

test("a document that an application hands to a later request again is merged as well", async () => {
  const document: object = await new Promise((resolve) =>
    facade.get("a", (_error, found) => {
      inflated(found as object);
      resolve(found as object);
    }),
  );
  const later = inflated(document);
  const other = await new Promise<object>((resolve) =>
    elsewhere.store().get("a", (_error, found) => resolve(found as object)),
  );
  await saved(elsewhere.store(), Object.assign(other, { n: 1 }));
  expect(await saved(facade, Object.assign(later, { m: 5 }))).toBeFalsy();
  expect(await stored()).toMatchObject({ n: 1, m: 5 });
});

test("a deep copy that is saved within the callback does not revive a session that has ended by then", async () => {
  const outcome = await new Promise((resolve) =>
    facade.get("a", (_error, found) => {
      void elsewhere.end("a");
      facade.set("a", JSON.parse(JSON.stringify(found)), resolve);
    }),
  );
  expect(outcome).toMatchObject({ code: "SESSION_ENDED" });
  expect(await stored()).toBeNull();
});

describe("the callback of get", () => {
  test("may be async: what it rejects with is reported", async () => {
    const cause = new Error("thrown");
    const failing = async () => {
      throw cause;
    };
    for (const sid of ["a", "missing"]) facade.get(sid, failing);
    const failed = { code: "LISTENER_FAILED", cause };
    await expect.poll(() => errors).toMatchObject([failed, failed]);
  });

  test("may be missing: only what failed is reported", async () => {
    Reflect.apply(facade.get, facade, ["a"]);
    Reflect.apply(facade.get, facade, [5]);
    await expect.poll(() => errors).toMatchObject([{ code: "INVALID_OPTION" }]);
  });

  test("gets no second argument with an error", async () => {
    const answer = await new Promise((resolve) =>
      Reflect.apply(facade.get, facade, [5, (...given: unknown[]) => resolve(given)]),
    );
    expect(answer).toEqual([expect.objectContaining({ code: "INVALID_OPTION" }), undefined]);
  });
});
