import { RawPolling, rawUpgrade } from "../../support/raw-client.ts";
import type { Story } from "../application.ts";
import type { UnreliableStore } from "../unreliable-store.ts";
import { entryOf, until } from "../waiting.ts";

/** A page on another origin opens a socket; the visitor's browser adds the cookie. */
export const otherOrigin: Story<{ entry: string; sees: unknown }> = async (application, transports) => {
  const ada = await application.visitor({ name: "ada" });
  const extraHeaders = { cookie: ada.cookie, origin: "https://evil.example" };
  const socket = ada.socket("/", { transports, reconnection: false, extraHeaders });
  const entry = (await entryOf(socket)).replace(/^refused: .*/, "refused"); // the transports put it differently
  return { entry, sees: socket.connected ? await socket.emitWithAck("see") : null };
};

interface Hijack {
  /** How the other visitor's requests on the running connection were answered. */
  poll: { status: number; tells: boolean };
  upgrade: string;
  /** What handlers got, in the name of the connection's owner. */
  handled: string[];
  /** What the owner's own poll got in the end. */
  owner: string;
}

/** Another visitor, logged in under another name, has learned the Engine.IO id of a polling connection. */
export const otherVisitorsPoll: Story<Hijack> = async (application) => {
  const handled: string[] = [];
  application.io.on("connection", (socket) => {
    socket.on("say", (text) => handled.push(`${application.see(socket)?.name}: ${text}`));
  });
  const ada = await application.visitor({ name: "ada" });
  const eve = await application.visitor({ name: "eve" });
  const own = new RawPolling(application.url, { cookie: ada.cookie });
  await own.open();

  const theirs = { cookie: eve.cookie };
  application.io.emit("news", "secret");
  const poll = await own.send("GET", undefined, theirs);
  await own.send("POST", '42["say","forged"]', theirs);
  const upgrade = await rawUpgrade(application.url, theirs, `EIO=4&transport=websocket&sid=${own.sid}`);

  await own.send("POST", '42["say","mine"]');
  await until(() => handled.includes("ada: mine"));
  application.io.emit("news", "later");
  const owner = await own.send("GET");
  return {
    poll: { status: poll.status, tells: poll.body.includes("secret") },
    upgrade,
    handled,
    owner: owner.body,
  };
};

interface Outage {
  entry: string;
  /** Whether the stock client goes on trying. */
  triesAgain: boolean;
  /** What its socket sees once the store is back. */
  sees: unknown;
}

/** The store is down when a visitor's client connects in `namespace`, and comes back. */
export function storeDown(store: UnreliableStore, namespace: string): Story<Outage> {
  return async (application, transports) => {
    const ada = await application.visitor({ name: "ada" });
    store.fail();
    const socket = ada.socket(namespace, { transports });
    const entry = (await entryOf(socket)).replace(/^refused: .*/, "refused");
    const triesAgain = socket.active;
    store.recover();
    if (!socket.connected) await new Promise((resolve) => socket.once("connect", () => resolve(0)));
    return { entry, triesAgain, sees: await socket.emitWithAck("see") };
  };
}
