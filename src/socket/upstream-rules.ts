/** The part of `upstream.ts` that takes one socket out of its namespace or a room, while its connection goes on. */
import type { Namespace, Socket } from "socket.io";
import { isThenable } from "../base/isolated-emitter.ts";
import { type Codec, type EngineConnection, type Packet, packetTypes } from "./upstream.ts";

/** Broadcasts no longer reach the socket. Its rooms stay, for listeners of `disconnecting`. */
export function leaveBroadcasts(socket: Socket): void {
  socket.nsp.sockets.delete(socket.id);
}

/** Joins a room. `joined` is called later, if the adapter takes its time. */
export async function joinRoom(socket: Socket, room: string, joined: () => void): Promise<void> {
  const joining = socket.join(room);
  if (!isThenable(joining)) return;
  await joining;
  joined();
}

/** Leaves a room: on this node at once, however long the adapter takes to publish that. */
export async function leaveRoom(socket: Socket, room: string): Promise<void> {
  const leaving = socket.leave(room);
  const { rooms, sids } = socket.nsp.adapter;
  rooms.get(room)?.delete(socket.id);
  sids.get(socket.id)?.delete(room);
  await leaving;
}

/** Discards the packets that wait for the client's next poll, or for the end of an upgrade, if they are `isStale`. */
export function discardPackets(
  { writeBuffer }: EngineConnection,
  codec: Codec,
  isStale: (packet: Packet) => boolean,
): void {
  const decoder = codec.decoder();
  const packets: Packet[] = [];
  decoder.on("decoded", (packet) => packets.push(packet));
  const takes = (data: unknown) => {
    try {
      decoder.add(data);
      return true;
    } catch {
      return false; // an attachment of a packet that has begun to leave
    }
  };
  const kept: (typeof writeBuffer)[number][] = [];
  let parts: typeof kept = [];
  for (const message of writeBuffer) {
    if (message.type !== "message") kept.push(message);
    else {
      parts.push(message);
      const isTaken = takes(message.data);
      const packet = packets.pop();
      if (isTaken && !packet) continue; // its attachments follow
      if (!packet || !isStale(packet)) kept.push(...parts);
      parts = [];
    }
  }
  decoder.destroy();
  writeBuffer.splice(0, writeBuffer.length, ...kept, ...parts);
}

interface ClientInternals {
  readonly nsps: ReadonlyMap<string, Socket>;
  readonly decoder: {
    on(event: "decoded", listener: (packet: Packet) => void): unknown;
    off(event: "decoded", listener: (packet: Packet) => void): unknown;
  };
  ondecoded(packet: Packet): void;
}

/** By client: the namespaces that its sockets were taken out of. */
const leftByClient = new WeakMap<object, Set<string>>();

/** Drops what the client still sends to the socket's namespace, at which Socket.IO would close the whole connection. */
export function ignoreLatePackets(socket: Socket): void {
  const client = socket.client as unknown as ClientInternals;
  const left = leftByClient.get(client) ?? new Set();
  left.add(socket.nsp.name);
  if (leftByClient.has(client)) return;
  leftByClient.set(client, left);
  const { decoder, ondecoded } = client;
  decoder.off("decoded", ondecoded);
  client.ondecoded = (packet) => {
    const isLate =
      packet.type !== packetTypes.CONNECT && left.has(packet.nsp) && !client.nsps.has(packet.nsp);
    if (!isLate) ondecoded(packet);
  };
  decoder.on("decoded", client.ondecoded);
}

interface Recoverable {
  readonly sid: string;
  readonly rooms: readonly string[];
}

interface Persisting {
  persistSession(session: Recoverable): unknown;
}

const watchedAdapters = new WeakSet<object>();

/** Keeps no room that is `isGuarded` for the recovery of a socket: a node that recovers it knows of no rule. */
export function forgetRooms(
  { adapter }: Namespace,
  isGuarded: (socket: Socket | undefined, room: string) => boolean,
): void {
  if (watchedAdapters.has(adapter)) return;
  watchedAdapters.add(adapter);
  const persisting = adapter as unknown as Persisting;
  const persist = persisting.persistSession;
  persisting.persistSession = (session) => {
    const socket = adapter.nsp.sockets.get(session.sid);
    const rooms = session.rooms.filter((room) => !isGuarded(socket, room));
    return persist.call(adapter, { ...session, rooms });
  };
}
