import { type RefusalCode, refusals } from "../protocol.ts";
import { type Codec, type EngineConnection, packetTypes } from "./upstream.ts";

/** Answers a client that asks for `namespace`; a stock client then stops. */
export function sendRefusal(
  connection: EngineConnection,
  codec: Codec,
  namespace: string,
  code: RefusalCode,
): void {
  const refusal = { message: refusals[code].meaning, data: { code } };
  const data = connection.protocol === 3 ? refusal.data : refusal;
  const packet = { type: packetTypes.CONNECT_ERROR, nsp: namespace, data };
  for (const encoded of codec.encode(packet)) connection.write(encoded);
}
