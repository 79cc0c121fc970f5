/** Connection state recovery, for clients whose session is not the one that the socket had: nothing is restored or sent. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessionPids } from "../../../src/socket/recovery.ts";
import { secret } from "../../support/world.ts";
import { type Departed, departed, type Steps, startNodes } from "./departures.ts";
import { type Nodes, recoveryPlaces } from "./nodes.ts";
import { askFor } from "./recoveries.ts";

/** A client that asks for the socket of another session. */
interface Stranger {
  readonly who: string;
  readonly steps: readonly string[];
  /** Resolves to the cookie that it sends, with the pid and the offset that ada's client was given. */
  cookie(nodes: Nodes, left: Departed): Promise<string>;
}

const strangers: readonly Stranger[] = [
  {
    who: "the client of a session that has ended",
    steps: [],
    async cookie(_nodes, { tab }) {
      const { cookie } = tab;
      await tab.post("/logout");
      return cookie;
    },
  },
  {
    who: "the same user, whose session got a new id at a login",
    steps: ["new for ada"],
    async cookie(_nodes, { tab }) {
      await tab.post("/login", { name: "ada" });
      return tab.cookie;
    },
  },
  {
    who: "the next user in the same tab",
    steps: ["new for eve"],
    async cookie(_nodes, { tab }) {
      await tab.post("/login", { name: "eve" });
      return tab.cookie;
    },
  },
  {
    who: "another user, with a copy of the pid",
    steps: ["new for eve"],
    cookie: async (nodes) => (await nodes.visitor({ name: "eve" })).cookie,
  },
];

const randomOf = (pid: string) => pid.slice(0, pid.indexOf("."));
const hashOf = (pid: string) => pid.slice(pid.indexOf("."));
const idOf = async ({ tab }: Departed): Promise<string> => JSON.parse(await tab.get("/session")).id;

/** Pids that ada's own client sends in place of the one that it was given. */
const forgeries: Readonly<Record<string, (left: Departed) => string | Promise<string>>> = {
  "cut by a character": ({ pid }) => pid.slice(0, -1),
  "without its hash": ({ pid }) => randomOf(pid),
  "with an empty hash": ({ pid }) => `${randomOf(pid)}.`,
  "without its random part": ({ pid }) => hashOf(pid),
  "longer by a character": ({ pid }) => `${pid}A`,
  "of another random part": ({ pid }) => `${"A".repeat(20)}${hashOf(pid)}`,
  "with a hash of its own": ({ pid }) => `${randomOf(pid)}.${"A".repeat(43)}`,
  "of a server with another secret": async (left) =>
    sessionPids(["another secret of thirty-two characters"])(await idOf(left)).bind("/", randomOf(left.pid)),
  "of another namespace": async (left) =>
    sessionPids([secret])(await idOf(left)).bind("/admin", randomOf(left.pid)),
};

for (const place of recoveryPlaces)
  place.describe.each([true, false])(`${place.name}, with skipMiddlewares: %s`, (skipMiddlewares) => {
    let nodes: Nodes;
    let steps: Steps;
    beforeAll(async () => {
      ({ nodes, steps } = await startNodes(place, { skipMiddlewares }));
    });
    afterAll(() => nodes.close());

    describe.each(["polling", "websocket"])("by %s nothing comes back", (transport) => {
      const leave = async () => {
        const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport);
        steps.length = 0;
        return left;
      };
      const arrivals = () => steps.filter((step) => !step.startsWith("middleware"));

      test.each(strangers)("to $who", async ({ cookie, steps: expected }) => {
        const left = await leave();
        const { pid, offset } = left;
        const answer = await askFor(nodes, await cookie(nodes, left), transport, { pid, offset });
        if (expected.length === 0) expect(answer.outcome).toBe("SESSION_ENDED");
        expect(answer.wire).not.toContain("missed");
        expect(arrivals()).toEqual(expected);
        answer.raw.close();
      });

      test.each(Object.entries(forgeries))(
        "by a pid %s, and it still does by the own one",
        async (_, forge) => {
          const left = await leave();
          const { tab, pid, offset } = left;
          const forged = await askFor(nodes, tab.cookie, transport, { pid: await forge(left), offset });
          expect(forged.wire).not.toContain("missed");
          const own = await askFor(nodes, tab.cookie, transport, { pid, offset });
          expect(own.wire).toContain("missed");
          expect(arrivals()).toEqual(["new for ada", "recovered for ada"]);
          for (const { raw } of [forged, own]) raw.close();
        },
      );

      test("by the pid of a socket in another namespace, of the same session", async () => {
        const { tab, pid, offset } = await leave();
        const answer = await askFor(nodes, tab.cookie, transport, { pid, offset }, "/admin");
        expect(answer.wire).not.toContain("missed");
        expect(steps).toEqual(["middleware for ada", "new for ada"]);
        answer.raw.close();
      });
    });
  });
