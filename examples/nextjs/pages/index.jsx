import { useEffect, useRef, useState } from "react";
import { io } from "socket.io-client";

export function getServerSideProps({ req }) {
  const { name, clicks } = req.session;
  return { props: { initial: name ? { name, clicks } : null } };
}

export default function Page({ initial }) {
  const [session, setSession] = useState(initial); // shown at once, before the socket connects
  const [problem, setProblem] = useState(null);
  const socketRef = useRef(null);

  useEffect(() => {
    const socket = io({ autoConnect: false });
    socketRef.current = socket;
    const show = (session, problem) => {
      setSession(session);
      setProblem(problem);
    };
    socket.on("session", (session) => show(session, null));
    socket.on("session:end", ({ reason }) => show(null, `Logged out (${reason}).`)); // then the socket closes
    socket.on("connect_error", ({ data }) => {
      if (socket.active)
        setProblem("No connection, trying again …"); // the client retries on its own
      else show(null, `Not logged in (${data?.code}).`);
    });
    socket.connect(); // last: a refusal comes once, and finds its listener
    return () => socket.disconnect();
  }, []);

  const status =
    problem ?? (session ? `You are ${session.name}. Clicks in all tabs: ${session.clicks}.` : "Connecting …");
  return (
    <main>
      <h1>One session, all tabs</h1>
      <p role="status">{status}</p>
      {session ? (
        <>
          <button type="button" onClick={() => socketRef.current.emit("click")}>
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
