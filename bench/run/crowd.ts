/** Many sockets of light clients, of one session or of a session each. */
import { LightSocket } from "./light-socket.ts";
import { inParallel, type Sample, visitor } from "./sample.ts";

/** Cookies of so many sessions. `data` gives the session of each. */
export async function logIns(
  sample: Sample,
  count: number,
  data: (index: number) => Record<string, unknown> = () => ({ name: "ada" }),
): Promise<string[]> {
  const cookies: string[] = [];
  let index = 0;
  await inParallel(count, 32, async () => {
    cookies.push((await visitor(sample, data(index++))).cookie);
  });
  return cookies;
}

/** So many sockets, that share the cookies evenly. */
export async function openCrowd(
  { url }: Sample,
  count: number,
  cookies: readonly string[],
  atOnce = 50,
): Promise<LightSocket[]> {
  const sockets: LightSocket[] = [];
  let index = 0;
  await inParallel(count, atOnce, async () => {
    const cookie = cookies[index++ % cookies.length] ?? "";
    sockets.push(await LightSocket.open(url, cookie));
  });
  return sockets;
}

export function closeCrowd(sockets: readonly LightSocket[]): void {
  for (const socket of sockets) socket.close();
}
