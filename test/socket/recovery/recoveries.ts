/** Clients that ask for the recovery of a socket by hand, so that a test sees all that comes over the wire. */
import type { Namespace } from "socket.io";
import { until } from "../../recipe/waiting.ts";
import { type RawMessages, rawMessages } from "../../support/raw-client.ts";
import type { Departed, SocketState } from "./departures.ts";
import type { Nodes } from "./nodes.ts";

/** What a stock client sends to have its socket recovered. */
export const wayOf = ({ pid, offset }: Departed) => ({ pid, offset });

const prefixOf = (namespace: string) => (namespace === "/" ? "" : `${namespace},`);

/** What a client gets that asks for a recovery by hand. */
export interface Answer {
  /** All that came over the wire. */
  readonly wire: string;
  /** The code of the refusal, or how the application sees the socket. */
  readonly outcome: string | SocketState;
  readonly raw: RawMessages;
}

/** Asks for a recovery by hand, then for the socket's state: whatever was missed comes before the answer. */
export async function askFor(
  { there }: Nodes,
  cookie: string,
  transport: string,
  auth: object,
  namespace = "/",
): Promise<Answer> {
  const raw = await rawMessages(there.url, transport, cookie);
  const prefix = prefixOf(namespace);
  await raw.send(`0${prefix}${JSON.stringify(auth)}`);
  const wire = () => raw.received.join("\n");
  const refusal = () => /"code":"(\w+)"/.exec(wire())?.[1];
  await until(() => wire().includes(`40${prefix}{"sid"`) || refusal() !== undefined);
  if (refusal() === undefined) await raw.send(`2${prefix}0["read"]`);
  const state = () => new RegExp(`43${prefix}0\\[(.*?)\\]`).exec(wire())?.[1];
  await until(() => (state() ?? refusal()) !== undefined);
  return { wire: wire(), outcome: refusal() ?? JSON.parse(state() ?? ""), raw };
}

/** Asks for the socket of a client that left, and does not wait for the answer. `ask` asks again. */
export async function begin(nodes: Nodes, left: Departed, transport: string, namespace = "/") {
  const raw = await rawMessages(nodes.there.url, transport, left.tab.cookie);
  const ask = (name: string) => raw.send(`0${prefixOf(name)}${JSON.stringify(wayOf(left))}`);
  await ask(namespace);
  return { raw, ask, wire: () => raw.received.join("\n") };
}

/** Holds what the adapter has restored, until `release`. */
export function holdRestored({ adapter }: Namespace) {
  const restore = adapter.restoreSession.bind(adapter);
  const goOn = Promise.withResolvers<void>();
  const held = { restored: 0, release: goOn.resolve };
  adapter.restoreSession = async (...asked) => {
    const session = await restore(...asked);
    held.restored++;
    await goOn.promise;
    return session;
  };
  return held;
}

/** The sockets in the main namespace, those in its middleware included, and the rooms with any. */
export function remains({ there }: Nodes): { sockets: number; rooms: number } {
  const namespace = there.io.of("/");
  const waiting: ReadonlyMap<string, unknown> = Reflect.get(namespace, "_preConnectSockets");
  return { sockets: namespace.sockets.size + waiting.size, rooms: namespace.adapter.rooms.size };
}
