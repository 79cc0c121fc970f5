import { io } from "socket.io-client";
import { sessionClient } from "socket-session/client";

const socket = io(); // the page's own address: Vite's proxy passes it on, so the cookie comes along
const session = sessionClient(socket, { routes: "/session" });

function showSession() {
  const { state, data, reason, code, help } = session.getSnapshot();
  if (data) show(`You are ${data.name}. Clicks in all tabs: ${data.clicks}.`, "click", "logout");
  else if (state === "ended") show(`Logged out (${reason}).`, "login");
  else if (state === "refused" && help !== "retry") show(`Not logged in (${code}).`, "login");
  else show("Connecting …"); // the client tries again by itself
}
session.subscribe(showSession);

onSubmit("login", async (form) => {
  await post("/api/login", new URLSearchParams(new FormData(form)));
  await session.loggedIn(); // connects again with the new cookie, in all tabs
});
onSubmit("click", () => socket.emit("click"));
onSubmit("logout", () => post("/api/logout"));

function show(text, ...ids) {
  document.querySelector("[role=status]").textContent = text;
  for (const form of document.forms) form.hidden = !ids.includes(form.id);
}

function onSubmit(id, submit) {
  const form = document.forms[id];
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await submit(form);
    } catch (error) {
      show(error.message, id);
    }
  });
}

async function post(path, body) {
  const response = await fetch(path, { method: "POST", body });
  await response.text(); // to its end: by then the session is stored
  if (!response.ok) throw new Error(`The server failed (${response.status}), try again.`);
}
