import { type DatabaseUrl, reasonOf } from "./database-url.ts";

/** How long the chat waits for a database at the start. */
export const connectTimeoutMs = 5_000;

/** Connects, or throws a message with the variable, the database and the reason. `shown`: its printable address. */
export async function reach<T>(
  address: DatabaseUrl,
  variable: string,
  connect: () => Promise<T>,
): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    // No cause: a driver's error may contain the whole address, password included.
    throw new Error(
      `${variable} names ${address.shown}, and no connection could be made: ${reasonOf(error, address)}. Is it running, and may this machine and user connect?`,
    );
  }
}

/** Logs lost connections; the same reason only once in a row. */
export function complainer(address: DatabaseUrl): (error: unknown) => void {
  let last = "";
  return (error) => {
    const reason = reasonOf(error, address);
    if (reason !== last) console.error(`${address.shown}: ${reason}`);
    last = reason;
  };
}
