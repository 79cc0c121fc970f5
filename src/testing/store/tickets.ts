/** Tickets: each is taken once, by one process, and no operation on sessions finds it. */
import { createHash } from "node:crypto";
import type { SessionStore } from "../../session-store.ts";
import { expectEqual } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { allReceived, subscribe } from "./recording-listener.ts";
import type { Check, ResolvedTraits, Setting } from "./setting.ts";

/** As the library makes ids: 43 characters of base64url. */
const idOf = (name: string): string => createHash("sha256").update(name).digest("base64url");

const id = idOf("a ticket");
const value = JSON.stringify({ sid: "a session" });

const values = [
  value,
  JSON.stringify(["a\0b", "\ud800", "x\udfffy"]),
  JSON.stringify(`😀e\u0301é\u2028\u2029\u0085\ufeff\uffff\u{10ffff}'"\\%$1{}--`),
  JSON.stringify("\u0001\u001f\u007f\r\n\t"),
  JSON.stringify("é😀".repeat(680)), // 4 KB in UTF-8
];

export function ticketChecks({ exactExpiry, timePasses, feed }: ResolvedTraits): readonly Check[] {
  const expires: Check = {
    name: "gives no ticket whose time is over",
    async run({ store, other, harness, later }) {
      for (const name of ["in time", "too late"]) await put(store, idOf(name), value, later(1000));
      await put(store, idOf("put too late"), value, later(-1));
      await harness.advance(timePasses ? 500 : 999);
      expectEqual(await take(other, idOf("in time")), value, "a ticket before its time is over");
      await harness.advance(exactExpiry ? 1 : 1000);
      expectEqual(await take(other, idOf("too late")), null, "a ticket after its time is over");
      expectEqual(
        await take(other, idOf("put too late")),
        null,
        "a ticket whose time was over from the start",
      );
    },
  };
  return [...taking, expires, ...apart, ...(feed ? [silent] : [])];
}

const taking: readonly Check[] = [
  {
    name: "gives a ticket once",
    async run({ store, other, later }) {
      expectEqual(await take(store, id), null, "a ticket that was never put");
      expectEqual(await put(store, id, value, later()), undefined, "the result of putTicket");
      await put(store, idOf("another"), "another", later());
      expectEqual(await take(other, id), value, "the first take");
      expectEqual(await take(other, id), null, "a second take");
      expectEqual(await take(store, id), null, "a second take, by the store that put it");
      expectEqual(await take(store, idOf("another")), "another", "another ticket");
    },
  },
  {
    name: "gives a ticket to one of many simultaneous calls",
    async run({ store, other, harness, later }) {
      const stores = [store, other, harness.open(), harness.open()];
      const ids = Array.from({ length: 10 }, (_, n) => idOf(`ticket ${n}`));
      for (const one of ids) await put(store, one, one, later());
      const taken = await Promise.all(ids.flatMap((one) => stores.map((by) => take(by, one))));
      const got = taken.filter((one) => one !== null);
      expectEqual(got.sort(), ids.sort(), "what was taken of ten tickets, by four connections each");
    },
  },
  {
    name: "keeps a value as it is",
    async run({ store, other, later }) {
      for (const [n, one] of values.entries()) await put(store, idOf(`ticket ${n}`), one, later());
      for (const [n, one] of values.entries())
        expectEqual(await take(other, idOf(`ticket ${n}`)), one, `the value at ${n}`);
    },
  },
];

const apart: readonly Check[] = [
  {
    name: "finds a ticket by no operation on sessions",
    async run(setting) {
      const { store, other, later } = setting;
      await put(store, id, JSON.stringify({ cookie: {} }), later());
      await expectSessions(setting, [], "with a ticket and no session");
      expectEqual(await store.read(keyOf(id)), null, "read by the id of a ticket");
      expectEqual((await store.readMany?.([keyOf(id)])) ?? [null], [null], "readMany by the id of a ticket");
      expectEqual(await store.touch(keyOf(id), later(), {}), false, "touch by the id of a ticket");
      expectEqual(await store.destroy(keyOf(id), "destroyed"), false, "destroy by the id of a ticket");
      expectEqual((await store.listByUser?.(id)) ?? [], [], "listByUser by the id of a ticket");
      expectEqual(await take(other, id), JSON.stringify({ cookie: {} }), "the ticket, after all that");
    },
  },
  {
    name: "keeps a ticket and a session of one id apart",
    async run(setting) {
      const { store, other, later } = setting;
      const document = { cookie: {}, n: 1 };
      await store.create(keyOf(id), document, later());
      await put(store, id, value, later());
      await put(store, idOf("another"), value, later());
      expectEqual((await other.read(keyOf(id)))?.document, document, "the session beside the ticket");
      await expectSessions(setting, [id], "with two tickets and a session");
      expectEqual(await take(other, id), value, "the ticket beside the session");
      expectEqual((await other.read(keyOf(id)))?.document, document, "the session after the take");
      await store.destroy(keyOf(id), "destroyed");
      expectEqual(await take(other, id), null, "the ticket after the end of the session");
      expectEqual(await take(other, idOf("another")), value, "another ticket after the end of the session");
    },
  },
];

const silent: Check = {
  name: "publishes nothing of tickets",
  async run({ store, other, later }) {
    const { received, stop } = await subscribe(other);
    await put(store, id, value, later());
    await take(store, id);
    await allReceived(store, received);
    expectEqual(received.changes, [], "which changes were received");
    expectEqual(received.missedCount, 0, "how often `missed` was called");
    await stop();
  },
};

/** By listing and by counting, where the store can. */
async function expectSessions({ store }: Setting, sids: readonly string[], when: string): Promise<void> {
  if (store.all) expectEqual(Object.keys(await store.all()), sids, `what all() lists ${when}`);
  if (store.count) expectEqual(await store.count(), sids.length, `what count() says ${when}`);
}

async function put(store: SessionStore, ticket: string, text: string, expiresAt: number): Promise<unknown> {
  if (!store.putTicket) throw new Error("Expected a store with putTicket(), by the trait `tickets`.");
  return store.putTicket(ticket, text, expiresAt);
}

async function take(store: SessionStore, ticket: string): Promise<string | null> {
  if (!store.takeTicket) throw new Error("Expected a store with takeTicket(), by the trait `tickets`.");
  return store.takeTicket(ticket);
}
