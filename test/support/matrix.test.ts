import { expect, test } from "vitest";
import { namespaceKinds, settingsIn, storeKinds, transportKinds } from "./matrix.ts";

const stores = storeKinds.length;
const ways = transportKinds.length * namespaceKinds.length;

test("the usual settings hold every store, transport and namespace", () => {
  const settings = settingsIn("test");
  expect(new Set(settings.map(({ store }) => store))).toEqual(new Set(storeKinds));
  const transports = transportKinds.map((kind) => String(kind.transports));
  expect(new Set(settings.map((one) => String(one.transports)))).toEqual(new Set(transports));
  const namespaces = namespaceKinds.map(({ namespace }) => namespace);
  expect(new Set(settings.map(({ namespace }) => namespace))).toEqual(new Set(namespaces));
});

test("the usual settings hold every way to one store, and one way to every store", () => {
  const settings = settingsIn("test");
  const counts = storeKinds.map((store) => settings.filter((one) => one.store === store).length);
  expect(counts).toEqual([ways, ...Array.from({ length: stores - 1 }, () => 1)]);
  expect(settings).toHaveLength(15);
});

test("the product holds every way to every store, each once", () => {
  const names = new Set(settingsIn("product").map(({ name }) => name));
  expect(names.size).toBe(settingsIn("product").length);
  expect(names.size).toBe(stores * ways);
  expect(names.size).toBe(63);
});
