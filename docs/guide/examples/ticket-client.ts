import { io, type Socket } from "socket.io-client";

/** Logs in by a request, and connects by tickets: Socket.IO's client sends no cookie. */
export async function logInAndConnectByTicket(url: string, name: string): Promise<Socket> {
  const response = await fetch(new URL("/login", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  await response.text(); // to its end: by then the session is stored
  const cookies = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  const headers = { cookie: cookies.join("; ") };

  const socket: Socket = io(url, { auth: (send) => void authenticate(send) });

  /** Called for each connection, at first and when the client reconnects: each needs a ticket of its own. */
  async function authenticate(send: (auth: object) => void): Promise<void> {
    const { engine } = socket.io;
    try {
      const answer = await fetch(new URL("/session/ticket", url), { method: "POST", headers });
      if (answer.status >= 500) throw new Error("There is no ticket at the moment.");
      const { ticket } = (await answer.json()) as { ticket?: string }; // none if the session is over
      if (socket.io.engine === engine) send({ ticket }); // else it is late: that connection is gone
    } catch {
      if (socket.io.engine === engine) engine.close(); // the client connects again after a pause
    }
  }

  socket.on("connect_error", ({ data }: Error & { data?: { code?: string } }) => {
    if (data?.code === "TICKET_INVALID") setTimeout(() => socket.connect(), 1_000); // with another ticket
  });
  return socket;
}
