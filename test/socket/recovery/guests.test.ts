/** Connection state recovery without a session, in exempt namespaces, and by what no stock client sends. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser } from "../../support/browser.ts";
import { comeBack, departed, type Steps, startNodes } from "./departures.ts";
import { type Nodes, type NodesOptions, recoveryPlaces } from "./nodes.ts";
import { askFor } from "./recoveries.ts";

/** Of the wrong type or form, or with names that every object has. */
const hostile: readonly unknown[] = [
  null,
  true,
  0,
  1e300,
  "",
  [],
  [["a"]],
  {},
  { length: 1 },
  { toString: "a" },
  "__proto__",
  "constructor",
  "\ud800",
  "1-1\r\nFLUSHALL",
  "x".repeat(100_000),
  "9".repeat(100_000),
];

for (const place of recoveryPlaces)
  place.describe.each([true, false])(`${place.name}, with skipMiddlewares: %s`, (skipMiddlewares) => {
    let nodes: Nodes;
    let steps: Steps;
    const withNodes = (options: Omit<NodesOptions, "skipMiddlewares">) => {
      beforeAll(async () => {
        ({ nodes, steps } = await startNodes(place, { skipMiddlewares, ...options }));
      });
      afterAll(() => nodes.close());
    };
    const arrivals = () => steps.splice(0).filter((step) => !step.startsWith("middleware"));
    const leave = async (tab: Browser, transport: string, namespace = "/") => {
      const left = await departed(nodes, tab, transport, { namespace });
      steps.length = 0;
      return left;
    };
    const ofAda = async (transport: string, namespace = "/") =>
      leave(await nodes.visitor({ name: "ada" }), transport, namespace);

    describe("where guests are allowed", () => {
      withNodes({ guests: "allow" });

      test.each(["polling", "websocket"])("a guest is new each time, by %s", async (transport) => {
        const left = await leave(nodes.browser(), transport);
        await comeBack(left);
        expect(left.client.recovered).toBe(false);
        expect(await left.client.emitWithAck("read")).toMatchObject({ session: "guest" });
        expect(left.received).toEqual(["first"]);
        expect(arrivals()).toEqual(["new for undefined"]);
      });

      test.each(["polling", "websocket"])(
        "neither a guest nor a member gets anything by the pid of the other, by %s",
        async (transport) => {
          const guest = await leave(nodes.browser(), transport);
          const ada = await ofAda(transport);
          for (const [cookie, { pid, offset }] of [["", ada] as const, [ada.tab.cookie, guest] as const]) {
            const { wire, raw } = await askFor(nodes, cookie, transport, { pid, offset });
            expect(wire).not.toContain("missed");
            raw.close();
          }
          expect(arrivals()).toEqual(["new for undefined", "new for ada"]);
        },
      );
    });

    describe("in an exempt namespace", () => {
      withNodes({ attach: { exempt: ["/free"] } });

      test.each(["polling", "websocket"])("a session gets its own socket back, by %s", async (transport) => {
        const left = await ofAda(transport, "/free");
        await comeBack(left);
        expect(left.client.recovered).toBe(true);
        await left.client.emitWithAck("read");
        expect(left.received).toEqual(["first", "missed"]);
      });

      test.each(["polling", "websocket"])(
        "the next user in the tab gets nothing, by %s",
        async (transport) => {
          const { tab, pid, offset } = await ofAda(transport, "/free");
          await tab.post("/login", { name: "eve" });
          const { wire, raw } = await askFor(nodes, tab.cookie, transport, { pid, offset }, "/free");
          expect(wire).not.toContain("missed");
          expect(arrivals()).toEqual(["new for eve"]);
          raw.close();
        },
      );

      test.each(["polling", "websocket"])("a refused client is new each time, by %s", async (transport) => {
        const left = await leave(nodes.browser(), transport, "/free");
        await comeBack(left);
        expect(left.client.recovered).toBe(false);
        await left.client.emitWithAck("read");
        expect(left.received).toEqual(["first"]);
      });

      test.each(["polling", "websocket"])(
        "a refused client gets nothing by the pid of a session, by %s",
        async (transport) => {
          const { pid, offset } = await ofAda(transport, "/free");
          const { wire, raw } = await askFor(nodes, "", transport, { pid, offset }, "/free");
          expect(wire).not.toContain("missed");
          expect(arrivals()).toEqual(["new for undefined"]);
          raw.close();
        },
      );

      test.each(["polling", "websocket"])(
        "pids and offsets of any form make new sockets, and the own ones still work, by %s",
        async (transport) => {
          const { tab, pid, offset } = await ofAda(transport);
          const asked = [
            ...hostile.flatMap((one) => [
              { pid: one, offset },
              { pid, offset: one },
            ]),
            { pid },
            { offset },
            { ["__proto__"]: { pid, offset } },
            { pid: [pid], offset: [offset] },
          ];
          for (const auth of asked) {
            const { wire, raw } = await askFor(nodes, tab.cookie, transport, auth);
            expect(wire).not.toContain("missed");
            raw.close();
          }
          expect(new Set(arrivals())).toEqual(new Set(["new for ada"]));
          const { wire, raw } = await askFor(nodes, tab.cookie, transport, { pid, offset });
          expect(wire).toContain("missed");
          raw.close();
          expect(nodes.there.errors).toEqual([]);
        },
      );
    });
  });
