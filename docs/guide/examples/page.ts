import { io } from "socket.io-client";
import { type SessionSnapshot, sessionClient } from "socket-session/client";

const session = sessionClient<{ name: string }>(io(), { routes: "/session" });
const find = (id: string) => document.getElementById(id) as HTMLElement;

let warnedOf: number | undefined = 0; // the deadline of the last warning

function show(): void {
  const snapshot = session.getSnapshot();
  const { state, help, expiresAt } = snapshot;
  find("status").textContent = wordsFor(snapshot);
  const mayLogIn = state === "guest" || state === "ended" || (state === "refused" && help === "login");
  find("login").hidden = !mayLogIn;
  find("logout").hidden = state !== "live";
  find("stay").hidden = state !== "live" || expiresAt !== warnedOf;
}

function wordsFor({ state, data, help, reason }: SessionSnapshot<{ name: string }>): string {
  if (state === "live") return `You are ${data?.name}.`;
  if (state === "guest") return "You are a guest.";
  if (state === "ended") return reason === "expired" ? "You were away too long." : "You are logged out.";
  if (state === "refused" && help === "login") return "Log in first.";
  if (state === "refused" && help === "stop") return "This page can't connect.";
  return "Connecting …"; // connecting, lost, or refused for now: the client tries again by itself
}

session.subscribe(show);
session.on("expiring", () => {
  warnedOf = session.getSnapshot().expiresAt;
  show();
});
find("stay").onclick = () => session.stay(); // extends the session: the page gets the new deadline
find("login").onsubmit = async (event) => {
  event.preventDefault();
  const { value: name } = find("name") as HTMLInputElement;
  const headers = { "content-type": "application/json" };
  const response = await fetch("/login", { method: "POST", headers, body: JSON.stringify({ name }) });
  await response.text();
  if (response.ok) await session.loggedIn(); // in the other tabs as well
};
find("logout").onclick = async () => {
  const response = await fetch("/logout", { method: "POST" });
  await response.text();
  if (response.ok) session.loggedOut();
};
show();
