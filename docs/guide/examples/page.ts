import { io } from "socket.io-client";
import { type SessionSnapshot, sessionClient } from "socket-session/client";

const session = sessionClient<{ name: string }>(io(), { routes: "/session" });
const find = (id: string) => document.getElementById(id) as HTMLElement;

function show(): void {
  const snapshot = session.getSnapshot();
  find("status").textContent = wordsFor(snapshot);
  find("login").hidden = snapshot.state === "live" || snapshot.state === "connecting";
  find("logout").hidden = snapshot.state !== "live";
  find("stay").hidden = true;
}

function wordsFor({ state, data, help, reason }: SessionSnapshot<{ name: string }>): string {
  if (state === "live") return `You are ${data?.name}.`;
  if (state === "guest") return "You are a guest.";
  if (state === "ended") return reason === "expired" ? "You were away for long." : "You are logged out.";
  if (state === "refused" && help === "login") return "Log in first.";
  if (state === "refused" && help === "stop") return "This page can't connect.";
  return "Connecting …"; // connecting, lost, or refused for now: the client tries again by itself
}

session.subscribe(show);
session.on("expiring", () => {
  find("stay").hidden = false;
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
