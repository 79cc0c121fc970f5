import { describe, expect, test } from "vitest";
import { type ChoiceInput, chooseAdapter } from "../server/adapter-choice.ts";
import { readStoreAddress } from "../server/store-address.ts";

interface Variables {
  STORE?: string;
  ADAPTER?: string;
  ADAPTER_URL?: string;
  isInCluster?: boolean;
}

function choose({ STORE = "file:chat.sqlite", ADAPTER, ADAPTER_URL, isInCluster = false }: Variables) {
  const input: ChoiceInput = { ADAPTER, ADAPTER_URL, store: readStoreAddress(STORE), isInCluster };
  return chooseAdapter(input);
}

describe("the adapter", () => {
  test.each([
    ["redis://host", "redis-streams"],
    ["rediss://host", "redis-streams"],
    ["postgres://host/db", "postgres"],
    ["mongodb://host/db", "mongo"],
  ])("of a database is its own, in a cluster or not: %s", (STORE, name) => {
    const choice = { name, address: { url: STORE }, isNamed: false };
    expect(choose({ STORE })).toMatchObject(choice);
    expect(choose({ STORE, isInCluster: true })).toMatchObject(choice);
  });

  test("of a file is the cluster's, and of one process none", () => {
    expect(choose({ isInCluster: true })).toEqual({ name: "cluster", isNamed: false });
    expect(choose({})).toEqual({ name: "none", isNamed: false });
    expect(choose({ STORE: "memory" })).toEqual({ name: "none", isNamed: false });
  });

  test("can be named, on the store's database or another", () => {
    expect(choose({ STORE: "redis://host", ADAPTER: "redis" })).toMatchObject({
      name: "redis",
      address: { url: "redis://host" },
      isNamed: true,
    });
    expect(choose({ STORE: "redis://host", ADAPTER: "none" })).toEqual({ name: "none", isNamed: true });
    expect(choose({ ADAPTER: "postgres", ADAPTER_URL: "postgres://host/db" })).toMatchObject({
      name: "postgres",
      address: { url: "postgres://host/db" },
    });
    expect(
      choose({ STORE: "mongodb://host/db", ADAPTER: "redis", ADAPTER_URL: "redis://other" }),
    ).toMatchObject({ name: "redis", address: { url: "redis://other" } });
  });

  test("follows ADAPTER_URL where it is not named", () => {
    expect(choose({ ADAPTER_URL: "redis://other" })).toMatchObject({ name: "redis-streams" });
    expect(choose({ STORE: "postgres://host/db", ADAPTER_URL: "redis://other" })).toMatchObject({
      name: "redis-streams",
      address: { url: "redis://other" },
    });
  });

  test.each<[Variables, RegExp]>([
    [{ ADAPTER: "rabbitmq://u:hunter2@h" }, /^ADAPTER expects one of redis-streams, redis,.*none of these/],
    [{ ADAPTER: "constructor" }, /^ADAPTER expects one of/],
    [{ ADAPTER: "redis" }, /^ADAPTER=redis needs .* STORE names another\. Set ADAPTER_URL=redis:/],
    [
      { ADAPTER: "mongo", ADAPTER_URL: "redis://u:hunter2@h" },
      /ADAPTER_URL names another\. Set ADAPTER_URL=mongodb:/,
    ],
    [{ ADAPTER_URL: "amqp://u:hunter2@h" }, /^ADAPTER_URL expects redis:/],
    [{ ADAPTER: "none", ADAPTER_URL: "redis://u:hunter2@h" }, /of no use with ADAPTER=none/],
    [{ ADAPTER: "cluster" }, /^ADAPTER=cluster is for .*npm run start:cluster/],
  ])("that can't be is refused in words, without a password: %j", (variables, words) => {
    expect(() => choose(variables)).toThrow(words);
    expect(() => choose(variables)).not.toThrow(/hunter2/);
  });
});
