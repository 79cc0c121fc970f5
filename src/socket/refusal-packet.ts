import { type RefusalCode, refusals } from "../protocol.ts";
import { type Codec, type EngineConnection, type Packet, packetTypes } from "./upstream.ts";

/** Answers a client that asks for `namespace`; a stock client then stops. */
export function sendRefusal(
  connection: EngineConnection,
  codec: Codec,
  namespace: string,
  code: RefusalCode,
): void {
  const refusal = { message: refusals[code].meaning, data: { code } };
  const data = connection.protocol === 3 ? refusal.data : refusal;
  sendPacket(connection, codec, { type: packetTypes.CONNECT_ERROR, nsp: namespace, data });
}

/** The packets that tell a socket why, and that it is out of its namespace, so that a stock client stays away. */
export function farewellOf(nsp: string, event: string, message: object): Packet[] {
  return [eventOf(nsp, event, message), { type: packetTypes.DISCONNECT, nsp }];
}

export function eventOf(nsp: string, event: string, message: object): Packet {
  return { type: packetTypes.EVENT, nsp, data: [event, message] };
}

/** Past the listeners of outgoing events, and whatever the state of the socket. */
export function sendPacket(connection: EngineConnection, codec: Codec, packet: Packet): void {
  for (const encoded of codec.encode(packet)) connection.write(encoded);
}
