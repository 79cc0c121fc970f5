/** Connection state recovery, for the client whose session is the one it left with. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../recipe/waiting.ts";
import { type Browser, disconnected } from "../../support/browser.ts";
import { comeBack, departAgain, departed, type Steps, startNodes } from "./departures.ts";
import { allPlaces, type Nodes, type NodesOptions } from "./nodes.ts";
import { askFor } from "./recoveries.ts";

const member = { name: "ada", session: "live", isInRoom: true, seat: 7 };

async function ticketOf(tab: Browser): Promise<string> {
  return JSON.parse(await tab.post("/session/ticket")).ticket;
}

for (const place of allPlaces)
  place.describe.each([true, false])(`${place.name}, with skipMiddlewares: %s`, (skipMiddlewares) => {
    let nodes: Nodes;
    let steps: Steps;
    beforeAll(async () => {
      const routes: NodesOptions["routes"] = (app, sessions) => app.use("/session", sessions.routes());
      ({ nodes, steps } = await startNodes(place, { skipMiddlewares, routes }));
    });
    afterAll(() => nodes.close());

    describe.each(["polling", "websocket"])("by %s, a client that comes back", (transport) => {
      const leave = async (namespace = "/") => {
        const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport, { namespace });
        steps.length = 0;
        return left;
      };

      test.each(["/", "/admin"])("has its rooms and data in %s, and what it missed", async (namespace) => {
        const left = await leave(namespace);
        await comeBack(left);
        expect(left.client.recovered).toBe(true);
        expect(await left.client.emitWithAck("read")).toEqual(member);
        left.publish("later");
        await until(() => left.received.length === 3);
        expect(left.received).toEqual(["first", "missed", "later"]);
        expect(steps).toEqual([...(skipMiddlewares ? [] : ["middleware for ada"]), "recovered for ada"]);
      });

      test("has a session that changes, and that ends with a logout", async () => {
        const left = await leave();
        await comeBack(left);
        await left.tab.post("/write", { name: "lovelace" });
        await until(() => left.received.includes("renamed lovelace"));
        expect(await left.client.emitWithAck("read")).toEqual({ ...member, name: "lovelace" });
        const ends: unknown[] = [];
        left.client.on("session:end", (end) => ends.push(end));
        const gone = disconnected(left.client);
        await left.tab.post("/logout");
        expect(await gone).toBe("io server disconnect");
        expect(ends).toEqual([{ reason: "destroyed" }]);
      });

      test("can leave and come back again", async () => {
        const left = await leave();
        await comeBack(left);
        await departAgain(nodes, left);
        left.publish("missed again");
        await comeBack(left);
        expect(left.client.recovered).toBe(true);
        expect(await left.client.emitWithAck("read")).toEqual(member);
        expect(left.received).toEqual(["first", "missed", "missed again"]);
      });

      test("with a ticket instead of a cookie has its own socket, and another session's ticket does not give it", async () => {
        const [ada, eve] = [await nodes.visitor({ name: "ada" }), await nodes.visitor({ name: "eve" })];
        let ticket = await ticketOf(ada);
        const auth = (give: (auth: object) => void) => give({ ticket });
        const left = await departed(nodes, nodes.browser(), transport, { auth });
        ticket = await ticketOf(ada);
        await comeBack(left);
        expect([left.client.recovered, await left.client.emitWithAck("read")]).toEqual([true, member]);
        await departAgain(nodes, left);
        left.publish("for ada");
        ticket = await ticketOf(eve);
        await comeBack(left);
        expect(left.client.recovered).toBe(false);
        expect(await left.client.emitWithAck("read")).toEqual({ ...member, name: "eve" });
        expect(left.received).toEqual(["first", "missed"]);
      });

      test("gets on the wire what it missed, by the pid that it was given", async () => {
        const { tab, pid, offset } = await leave();
        const { wire, outcome, raw } = await askFor(nodes, tab.cookie, transport, { pid, offset });
        expect(outcome).toEqual(member);
        expect(wire).toContain('["news","missed"');
        raw.close();
      });
    });
  });
