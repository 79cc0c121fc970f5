import { io } from "socket.io-client";

const socket = io(); // the page's own address: Vite's proxy passes it on, so the cookie comes along

socket.on("session", ({ name, clicks }) =>
  show(`You are ${name}. Clicks in all tabs: ${clicks}.`, "click", "logout"),
);
socket.on("session:end", ({ reason }) => show(`Logged out (${reason}).`, "login")); // then the socket closes
socket.on("connect_error", ({ data }) => {
  if (socket.active)
    show("No connection, trying again …"); // the client retries on its own
  else show(`Not logged in (${data?.code}).`, "login");
});

onSubmit("login", async (form) => {
  await post("/api/login", new URLSearchParams(new FormData(form)));
  socket.disconnect().connect(); // with the new cookie
});
onSubmit("click", () => socket.emit("click"));
onSubmit("logout", () => post("/api/logout"));

function show(text, ...ids) {
  document.querySelector("[role=status]").textContent = text;
  for (const form of document.forms) form.hidden = !ids.includes(form.id);
}

function onSubmit(id, submit) {
  const form = document.forms[id];
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form);
  });
}

async function post(path, body) {
  const response = await fetch(path, { method: "POST", body });
  await response.text(); // to its end: by then the session is stored
}
