import { useSyncExternalStore } from "react";
import { session, socket } from "../session.js";

export function getServerSideProps({ req }) {
  const { name, clicks } = req.session;
  return { props: { initial: name ? { name, clicks } : null } };
}

const connecting = { state: "connecting" };
const onServer = () => connecting;
const never = () => () => {};

export default function Page({ initial }) {
  const { state, data, reason, code, help } = useSyncExternalStore(
    session?.subscribe ?? never,
    session?.getSnapshot ?? onServer,
    onServer,
  );
  const shown = state === "connecting" ? initial : data; // at once, before the socket connects

  function status() {
    if (shown) return `You are ${shown.name}. Clicks in all tabs: ${shown.clicks}.`;
    if (state === "ended") return `Logged out (${reason}).`;
    if (state === "refused" && help !== "retry") return `Not logged in (${code}).`;
    return "Connecting …"; // the client tries again by itself
  }

  return (
    <main>
      <h1>One session, all tabs</h1>
      <p role="status">{status()}</p>
      {shown ? (
        <>
          <button type="button" onClick={() => socket.emit("click")}>
            Click
          </button>
          <form action="/api/logout" method="post">
            <button type="submit">Log out</button>
          </form>
        </>
      ) : (
        <form action="/api/login" method="post">
          <input name="name" aria-label="Your name" required />
          <button type="submit">Log in</button>
        </form>
      )}
    </main>
  );
}
