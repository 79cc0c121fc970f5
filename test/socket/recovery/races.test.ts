/** Connection state recovery by a pid that is in use, and of sessions that end in between. */
import { afterEach, describe, expect, test } from "vitest";
import { nextTurn } from "../../../src/base/batches.ts";
import { until } from "../../recipe/waiting.ts";
import { type Departed, departed, type Steps, startNodes } from "./departures.ts";
import { type Nodes, recoveryPlaces } from "./nodes.ts";
import { askFor, begin, holdRestored, remains, wayOf } from "./recoveries.ts";

let nodes: Nodes;
let steps: Steps;
afterEach(() => nodes.close());

const arrivals = () => steps.filter((step) => !step.startsWith("middleware"));

async function leave(transport: string): Promise<Departed> {
  const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport);
  steps.length = 0;
  return left;
}

for (const place of recoveryPlaces)
  place.describe.each([true, false])(`${place.name}, with skipMiddlewares: %s`, (skipMiddlewares) => {
    const start = async () => {
      ({ nodes, steps } = await startNodes(place, { skipMiddlewares }));
    };

    describe.each(["polling", "websocket"])("a pid, by %s", (transport) => {
      test("makes no second socket while the first is there, and takes nothing from it", async () => {
        await start();
        const left = await leave(transport);
        const [first, second] = [
          await askFor(nodes, left.tab.cookie, transport, wayOf(left)),
          await askFor(nodes, left.tab.cookie, transport, wayOf(left)),
        ];
        expect(arrivals()).toEqual(["recovered for ada", "new for ada"]);
        expect(second.wire).not.toContain("missed");
        second.raw.close();
        await until(() => remains(nodes).sockets === 1);
        left.publish("later");
        await until(() => first.raw.received.some((text) => text.includes("later")));
        first.raw.close();
      });

      test("makes one socket for two connections that ask at once", async () => {
        await start();
        const left = await leave(transport);
        const held = holdRestored(nodes.there.io.of("/"));
        const asked = [0, 1].map(() => askFor(nodes, left.tab.cookie, transport, wayOf(left)));
        await until(() => held.restored + arrivals().length === 2);
        held.release();
        const answers = await Promise.all(asked);
        expect(answers.filter(({ wire }) => wire.includes("missed"))).toHaveLength(1);
        expect(arrivals()).toEqual(["new for ada", "recovered for ada"]);
        for (const { raw } of answers) raw.close();
      });

      test("makes one socket for a connection that asks twice", async () => {
        await start();
        const left = await leave(transport);
        const held = holdRestored(nodes.there.io.of("/"));
        const { raw, ask, wire } = await begin(nodes, left, transport);
        await ask("/");
        await until(() => held.restored + arrivals().length === 2);
        held.release();
        await until(() => arrivals().length === 2 && wire().split('40{"sid"').length === 3);
        expect(wire().split('"missed"')).toHaveLength(2);
        expect(arrivals()).toEqual(["new for ada", "recovered for ada"]);
        raw.close();
      });
    });

    describe.each(["polling", "websocket"])(
      "a session that ends while its socket is restored, by %s",
      (transport) => {
        test.each([
          ["a logout", "/logout", "at the end"],
          ["a logout", "/logout", "after the close"],
          ["a new id", "/regenerate", "at the end"],
          ["a new id", "/regenerate", "after the close"],
        ])("by %s (%s, restored %s): nothing is sent, and nothing runs", async (_by, path, when) => {
          await start();
          const left = await leave(transport);
          const held = holdRestored(nodes.there.io.of("/"));
          const { raw, wire } = await begin(nodes, left, transport);
          await until(() => held.restored === 1);
          if (when === "at the end") nodes.there.sessions.once("end", () => held.release());
          await left.tab.post(path);
          await raw.closed;
          held.release();
          await nextTurn(); // the socket is made, and dropped
          expect(wire()).not.toMatch(/missed|sid/);
          expect(steps).toEqual([]);
          expect(remains(nodes)).toEqual({ sockets: 0, rooms: 0 });
        });
      },
    );
  });
