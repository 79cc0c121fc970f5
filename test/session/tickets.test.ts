/** Tickets themselves, without a connection. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { sessionNames } from "../../src/data/session-key.ts";
import { guardedStore } from "../../src/live/guarded-store.ts";
import { Tickets } from "../../src/session/tickets.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock } from "../support/manual-clock.ts";

const clock = new ManualClock();
const secret = "a secret of thirty-two characters";

function open(secrets = [secret]) {
  const store = memoryStore({ clock });
  const asked: string[] = [];
  const stored: [string, string][] = [];
  const { putTicket, takeTicket } = store;
  store.putTicket = (id, value, expiresAt) => {
    stored.push([id, value]);
    return putTicket?.call(store, id, value, expiresAt) ?? Promise.resolve();
  };
  store.takeTicket = (id) => {
    asked.push(id);
    return takeTicket?.call(store, id) ?? Promise.resolve(null);
  };
  const tickets = new Tickets(guardedStore(store, clock, 1_000), sessionNames(secrets), clock, 30_000);
  return { tickets, asked, stored };
}

test("100,000 guesses find none; each that looks like a ticket costs one operation, any other none", async () => {
  const { tickets, asked } = open();
  const { ticket } = await tickets.issue("sid", undefined);
  for (let i = 0; i < 100_000; i++)
    if ((await tickets.redeem(randomBytes(32).toString("base64url"), undefined)) !== undefined)
      throw new Error("found");
  expect(asked).toHaveLength(100_000);
  for (const guess of [
    ticket.slice(1),
    `${ticket}=`,
    ` ${ticket}`,
    ticket.replace(/./, "*"),
    "",
    undefined,
    [ticket],
  ])
    expect(await tickets.redeem(guess, undefined)).toBeUndefined();
  expect(asked).toHaveLength(100_000);
  expect(await tickets.redeem(ticket, undefined)).toBe("sid");
});

test("the store has neither the ticket nor the origin, and each ticket is another", async () => {
  const { tickets, stored } = open();
  const issued = await Promise.all(
    Array.from({ length: 1_000 }, () => tickets.issue("sid", "https://page.example")),
  );
  expect(new Set(issued.map(({ ticket }) => ticket)).size).toBe(1_000);
  expect(new Set(stored.map(([id]) => id)).size).toBe(1_000);
  const text = JSON.stringify(stored);
  for (const { ticket } of issued) expect(text).not.toContain(ticket);
  expect(text).not.toContain("page.example");
});

test.each([undefined, "https://page.example"])(
  "a ticket for %s is good for no other origin, and not used up by one",
  async (origin) => {
    const { tickets } = open();
    const { ticket, expiresAt } = await tickets.issue("sid \u0000 \ud800", origin);
    expect(expiresAt).toBe(clock.now() + 30_000);
    for (const other of [
      "https://other.example",
      "https://page.example.org",
      "",
      "null",
      undefined,
      "https://page.example",
    ])
      if (other !== origin && (other || origin)) expect(await tickets.redeem(ticket, other)).toBeUndefined();
    expect(await tickets.redeem(ticket, origin)).toBe("sid \u0000 \ud800");
    expect(await tickets.redeem(ticket, origin)).toBeUndefined();
  },
);
