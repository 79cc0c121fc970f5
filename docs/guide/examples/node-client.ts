import { io, type Socket } from "socket.io-client";

/** Logs in by a request, keeps the cookie that the answer sets, and connects with it. */
export async function logInAndConnect(url: string, name: string): Promise<Socket> {
  const response = await fetch(new URL("/login", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  await response.text(); // to its end: by then the session is stored
  const cookies = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return io(url, { extraHeaders: { cookie: cookies.join("; ") } });
}
