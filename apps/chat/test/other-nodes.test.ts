import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Announcement, OtherNodes } from "../server/other-nodes.ts";
import type { Here } from "../shared/events.ts";

const here = (guests: number, ...names: string[]): Here => ({
  guests,
  people: names.map((name) => ({ author: name.toLowerCase(), name })),
});

/** Nodes that receive each other's messages, unless they are cut off. */
class Network {
  readonly nodes: OtherNodes[] = [];
  readonly changes: number[] = [];
  readonly announcements: Announcement[] = [];
  readonly cut = new Set<OtherNodes>();

  add(own: () => Here): OtherNodes {
    const index = this.nodes.length;
    this.changes.push(0);
    let node: OtherNodes | undefined;
    node = new OtherNodes({
      own,
      announce: (announcement) => {
        this.announcements.push(announcement);
        if (node && this.cut.has(node)) return;
        for (const other of this.nodes) if (other !== node && !this.cut.has(other)) other.hear(announcement);
      },
      onChange: () => {
        this.changes[index] = (this.changes[index] ?? 0) + 1;
      },
    });
    this.nodes.push(node);
    return node;
  }

  close(): void {
    for (const node of this.nodes) node.close();
  }
}

let network: Network;
beforeEach(() => {
  vi.useFakeTimers();
  network = new Network();
});
afterEach(() => {
  network.close();
  vi.useRealTimers();
});

test("everybody is here once, by the name that this node knows; guests add up", () => {
  const one = network.add(() => here(1, "Ada", "Grace"));
  const two = network.add(() => here(2, "Edsger"));
  one.announce();
  two.announce();
  expect(one.here).toEqual(here(3, "Ada", "Edsger", "Grace"));
  expect(two.here).toEqual(one.here);
  two.hear({
    node: "another",
    here: { guests: 0, people: [{ author: "edsger", name: "Old" }] },
    isNew: false,
  });
  expect(two.here.people.map(({ name }) => name)).toEqual(["Ada", "Edsger", "Grace"]);
});

test("what was not heard is made good by the next announcement, and nothing new changes nothing", () => {
  const one = network.add(() => here(0));
  let own = here(0, "Ada");
  const two = network.add(() => own);
  vi.advanceTimersByTime(3_000);
  expect(one.here).toEqual(here(0, "Ada"));
  network.cut.add(two);
  own = here(0, "Countess");
  two.announce();
  expect(one.here).toEqual(here(0, "Ada"));
  network.cut.clear();
  vi.advanceTimersByTime(3_000);
  expect(one.here).toEqual(here(0, "Countess"));
  const before = [...network.changes];
  vi.advanceTimersByTime(30_000);
  expect(network.changes).toEqual(before);
});

test("a node that died is forgotten, one that closes says so at once and then nothing", () => {
  const one = network.add(() => here(0, "Ada"));
  const two = network.add(() => here(1));
  const three = network.add(() => here(0, "Grace"));
  vi.advanceTimersByTime(3_000);
  expect(one.here).toEqual(here(1, "Ada", "Grace"));
  three.close();
  expect(one.here).toEqual(here(1, "Ada"));
  network.cut.add(two);
  vi.advanceTimersByTime(9_000);
  expect(one.here).toEqual(here(1, "Ada"));
  vi.advanceTimersByTime(6_000);
  expect(one.here).toEqual(here(0, "Ada"));
  const { length } = network.announcements;
  network.close();
  expect(network.announcements.slice(length).map(({ here: { people } }) => people)).toEqual([[], []]);
  vi.advanceTimersByTime(30_000);
  expect(network.announcements).toHaveLength(length + 2);
});

test("a node is new until it has been told", () => {
  const one = network.add(() => here(0));
  expect(network.announcements.at(-1)).toMatchObject({ isNew: true });
  one.settle();
  one.announce();
  expect(network.announcements.at(-1)).toMatchObject({ isNew: false });
});
